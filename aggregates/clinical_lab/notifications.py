"""Notifications: who gets which mail, and how long its delivery is tried."""

from collections.abc import Iterable
from datetime import timedelta

from aggregates.decision import Decision, Events
from aggregates.policy import Policy
from aggregates.state import State
from aggregates.stream import Stream
from schemas.clinical_lab.notifications import (
    DeliverNotification,
    DeliveryFailed,
    Kind,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    RecordDelivery,
    RequestNotification,
)
from schemas.clinical_lab.results import ResultRecorded
from schemas.clinical_lab.users import UserCreated
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command, Event
from schemas.values.times import later

PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""The pause after each failed attempt; when all are used, the next failed attempt is the last."""


class Notification(State):
    """Mail to a user."""

    kind: Kind | None = None
    cause: str = ""
    about: str = ""
    recipients: tuple[str, ...] = ()
    attempts: int = 0
    finished: bool = False


def evolve(notification: Notification, event: Event) -> Notification:
    match event:
        case NotificationRequested(kind=kind, cause=cause, about=about, recipients=recipients):
            return notification.replace(kind=kind, cause=cause, about=about, recipients=recipients)
        case DeliveryFailed(attempt=attempt):
            return notification.replace(attempts=attempt)
        case NotificationSent(attempt=attempt) | NotificationFailed(attempt=attempt):
            return notification.replace(attempts=attempt, finished=True)
    return notification


NOTIFICATION = Stream("notification", Notification, evolve)


def request_notification(command: CommandEnvelope[RequestNotification]) -> Events:
    """Requests mail; the command's id is the notification's, so each cause has one."""
    yield NotificationRequested(notification_id=command.id, **dict(command.data))


def record_delivery(command: CommandEnvelope[RecordDelivery], notification: Notification) -> Events:
    """Records the result of an attempt, and whether another one follows."""
    data = command.data
    if notification.finished or data.attempt <= notification.attempts:
        return  # a later attempt was recorded first
    fields = {"notification_id": data.notification_id, "attempt": data.attempt}
    if data.problem is None:
        yield NotificationSent(cause=notification.cause, **fields)
    elif data.may_work_later and data.attempt <= len(PAUSES):
        yield DeliveryFailed(problem=data.problem, again_at=later(command.at, PAUSES[data.attempt - 1]), **fields)
    else:
        yield NotificationFailed(cause=notification.cause, problem=data.problem, **fields)


def welcome(recorded: RecordedEvent[UserCreated]) -> Iterable[Command]:
    user_id = recorded.data.user_id
    yield RequestNotification(kind="welcome", cause=f"user-{user_id}", recipients=(str(user_id),), about="")


def announce_result(recorded: RecordedEvent[ResultRecorded]) -> Iterable[Command]:
    """Notifies the patient, or the clinician if the patient is no user."""
    event = recorded.data
    clinician = () if event.clinician_id is None else (event.clinician_id,)
    yield RequestNotification(
        kind="result",
        cause=f"result-{event.result_id}",
        recipients=(str(event.patient_id), *clinician),
        about=str(event.number),
    )


def deliver(recorded: RecordedEvent[NotificationRequested]) -> Iterable[Command]:
    yield DeliverNotification(notification_id=recorded.data.notification_id)


POLICIES = (
    Policy("notifying", {UserCreated: welcome, ResultRecorded: announce_result}),
    Policy("delivering", {NotificationRequested: deliver}),
)
DECISIONS = (
    Decision(RequestNotification, NOTIFICATION.create(), request_notification),
    Decision(RecordDelivery, NOTIFICATION.change("notification_id"), record_delivery),
)
