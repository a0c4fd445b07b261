"""The view of customers."""

from projectors.flight_reservations.customers import PROJECTIONS
from schemas.flight_reservations.customers import CustomerDeactivated
from tests.unit.aggregates.flight_reservations.test_customers import REGISTERED
from tests.unit.projectors.applied import applied


def test_a_customer_is_active_until_deactivated() -> None:
    row = applied(PROJECTIONS[0], REGISTERED)

    assert (row.status, row.kind, row.first_names, row.email) == ("active", "person", "Eva", "eva@example.org")
    gone = applied(PROJECTIONS[0], REGISTERED, CustomerDeactivated(customer_id=REGISTERED.customer_id))
    assert (gone.status, gone.first_names) == ("deactivated", "Eva")
