"""Notifications: a row for each."""

from typing import Any

from projectors.projection import Fold, Projection
from schemas.clinical_lab.notifications import DeliveryFailed, NotificationFailed, NotificationRequested, NotificationSent
from schemas.clinical_lab.views import Notification
from schemas.envelope import RecordedEvent


def requested(_: Notification | None, recorded: RecordedEvent[NotificationRequested]) -> Notification:
    event = recorded.data
    return Notification(
        notification_id=event.notification_id,
        kind=event.kind,
        cause=event.cause,
        about=event.about,
        requested_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
    )


def retrying(row: Notification | None, recorded: RecordedEvent[DeliveryFailed]) -> Notification:
    return _changed(row, recorded, status="retrying", problem=recorded.data.problem, again_at=recorded.data.again_at)


def sent(row: Notification | None, recorded: RecordedEvent[NotificationSent]) -> Notification:
    return _changed(row, recorded, status="sent", problem=None, again_at=None)


def failed(row: Notification | None, recorded: RecordedEvent[NotificationFailed]) -> Notification:
    return _changed(row, recorded, status="failed", problem=recorded.data.problem, again_at=None)


def _changed(row: Notification | None, recorded: RecordedEvent[Any], **fields: object) -> Notification:
    row = row or Notification(notification_id=recorded.data.notification_id)
    return row.model_copy(update={"attempts": recorded.data.attempt, "updated_at": recorded.recorded_at, **fields})


def _notification(recorded: RecordedEvent[Any]) -> object:
    return recorded.data.notification_id


PROJECTIONS = (
    Projection(
        Notification,
        {
            NotificationRequested: Fold(_notification, requested),
            DeliveryFailed: Fold(_notification, retrying),
            NotificationSent: Fold(_notification, sent),
            NotificationFailed: Fold(_notification, failed),
        },
    ),
)
