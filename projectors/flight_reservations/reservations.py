"""Reservations: one row for each, also for a request that was rejected."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.flight_reservations.reservations import (
    ReservationApproved,
    ReservationCancelled,
    ReservationCreated,
    ReservationPaid,
    ReservationRejected,
)
from schemas.flight_reservations.views import Reservations


def reservation(row: Reservations, event: RecordedEvent[Any]) -> Reservations:
    row = row.replace(updated_at=event.recorded_at)
    match event.data:
        case ReservationCreated() as created:
            return row.replace(
                customer_id=created.customer_id,
                itineraries=[one.model_dump(mode="json") for one in created.itineraries],
                passengers=[one.model_dump(mode="json") for one in created.passengers],
                flight_types=created.flight_types,
                created_at=created.created_at,
            )
        case ReservationRejected(customer_id=customer_id, reason=reason):
            return row.replace(status="rejected", customer_id=customer_id, reason=reason, created_at=event.recorded_at)
        case ReservationApproved():
            return row.replace(status="approved")
        case ReservationPaid():
            return row.replace(status="paid")
        case ReservationCancelled():
            return row.replace(status="cancelled")
    return row


PROJECTIONS = (
    Projection(
        Reservations,
        reservation,
        events=(ReservationCreated, ReservationApproved, ReservationPaid, ReservationCancelled, ReservationRejected),
    ),
)
