"""Notifications: one to the customer for each event of a reservation, none without a customer."""

import pytest

from aggregates.flight_reservations.notifications import POLICIES
from aggregates.scenario import FIRST_ID, reaction_of
from schemas.flight_reservations.notifications import Kind, RequestNotification
from schemas.message import Event
from tests.unit.aggregates.flight_reservations.test_reservations import APPROVED, CANCELLED, CREATED, CUSTOMER, PAID


@pytest.mark.parametrize(
    ("event", "kind"), [(CREATED, "created"), (APPROVED, "approved"), (PAID, "paid"), (CANCELLED, "cancelled")]
)
def test_each_event_is_announced_to_the_customer(event: Event, kind: Kind) -> None:
    (command,) = reaction_of(POLICIES[0], event)

    assert command == RequestNotification(
        kind=kind, cause=f"reservation-{FIRST_ID}", recipients=(str(CUSTOMER),), about=str(FIRST_ID)
    )
    assert list(reaction_of(POLICIES[0], event.model_copy(update={"customer_id": None}))) == []
