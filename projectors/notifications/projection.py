"""Notifications: one row for each."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.notifications.messages import (
    DeliveryFailed,
    NotificationFailed,
    NotificationMessages,
    NotificationRequested,
    NotificationSent,
)
from schemas.notifications.view import NotificationRow


def projection_of(view: type[NotificationRow], messages: NotificationMessages) -> Projection[NotificationRow]:
    """Returns the projection that fills a system's view of its notifications."""
    return Projection(view, notification, events=messages.events)


def notification(row: NotificationRow, event: RecordedEvent[Any]) -> NotificationRow:
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
