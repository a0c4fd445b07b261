"""Notifications: one row for each."""

from typing import Any

from projectors.projection import Projection
from schemas.clinical_lab.notifications import DeliveryFailed, NotificationFailed, NotificationRequested, NotificationSent
from schemas.clinical_lab.views import Notifications
from schemas.envelope import RecordedEvent


def notification(row: Notifications, event: RecordedEvent[Any]) -> Notifications:
    row = row.replace(updated_at=event.recorded_at)
    match event.data:
        case NotificationRequested(kind=kind, cause=cause, about=about):
            return row.replace(kind=kind, cause=cause, about=about, requested_at=event.recorded_at)
        case DeliveryFailed(attempt=attempt, problem=problem, again_at=again_at):
            return row.replace(status="retrying", attempts=attempt, problem=problem, again_at=again_at)
        case NotificationSent(attempt=attempt):
            return row.replace(status="sent", attempts=attempt, problem=None, again_at=None)
        case NotificationFailed(attempt=attempt, problem=problem):
            return row.replace(status="failed", attempts=attempt, problem=problem, again_at=None)
    return row


PROJECTIONS = (
    Projection(
        Notifications, notification, events=(NotificationRequested, DeliveryFailed, NotificationSent, NotificationFailed)
    ),
)
