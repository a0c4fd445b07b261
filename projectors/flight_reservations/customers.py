"""Customers: one row for each."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.flight_reservations.customers import CustomerDeactivated, CustomerRegistered
from schemas.flight_reservations.views import Customers


def customer(row: Customers, event: RecordedEvent[Any]) -> Customers:
    row = row.replace(updated_at=event.recorded_at)
    match event.data:
        case CustomerRegistered() as registered:
            return row.replace(**dict(registered), created_at=event.recorded_at)
        case CustomerDeactivated():
            return row.replace(status="deactivated")
    return row


PROJECTIONS = (Projection(Customers, customer, events=(CustomerRegistered, CustomerDeactivated)),)
