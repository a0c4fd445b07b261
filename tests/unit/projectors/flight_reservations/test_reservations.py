"""The view of reservations."""

from projectors.flight_reservations.reservations import PROJECTIONS
from schemas.flight_reservations.reservations import ReservationRejected
from tests.unit.aggregates.flight_reservations.test_reservations import APPROVED, CANCELLED, CREATED, CUSTOMER, PAID
from tests.unit.projectors.applied import applied


def test_a_reservation_goes_through_its_statuses() -> None:
    row = applied(PROJECTIONS[0], CREATED)
    assert (row.status, row.customer_id, row.flight_types) == ("pending", CUSTOMER, ("round_trip", "one_way"))
    assert row.itineraries == [one.model_dump(mode="json") for one in CREATED.itineraries]

    assert applied(PROJECTIONS[0], CREATED, APPROVED).status == "approved"
    assert applied(PROJECTIONS[0], CREATED, APPROVED, PAID).status == "paid"
    assert applied(PROJECTIONS[0], CREATED, CANCELLED).status == "cancelled"


def test_a_request_that_was_rejected_has_a_row_with_the_reason() -> None:
    rejected = ReservationRejected(reservation_id=CREATED.reservation_id, customer_id=None, reason="no")

    row = applied(PROJECTIONS[0], rejected)

    assert (row.status, row.reason, row.itineraries) == ("rejected", "no", [])
