"""Notifications: which mail a customer gets about a reservation, one for each cause."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aggregates.notifications.notification import Notifications
from aggregates.policy import Policy
from schemas.envelope import RecordedEvent
from schemas.flight_reservations.notifications import MESSAGES, Kind, RequestNotification
from schemas.flight_reservations.reservations import (
    ReservationApproved,
    ReservationCancelled,
    ReservationCreated,
    ReservationPaid,
)
from schemas.message import Command, Event

NOTIFICATIONS = Notifications.of(MESSAGES)
_KINDS: Mapping[type[Event], Kind] = {
    ReservationCreated: "created",
    ReservationApproved: "approved",
    ReservationPaid: "paid",
    ReservationCancelled: "cancelled",
}


def _reaction(kind: Kind) -> Callable[[RecordedEvent[Any]], Iterable[Command]]:
    def announce(recorded: RecordedEvent[Any]) -> Iterable[Command]:
        """Notifies the customer of a reservation that has one."""
        id, customer = recorded.data.reservation_id, recorded.data.customer_id
        if customer is not None:
            yield RequestNotification(kind=kind, cause=f"reservation-{id}", recipients=(str(customer),), about=str(id))

    return announce


DECISIONS = NOTIFICATIONS.decisions
POLICIES = (
    Policy("notifying", {event: _reaction(kind) for event, kind in _KINDS.items()}),
    NOTIFICATIONS.delivering,
)
