"""Notifications: who is told what, and how long their delivery is tried."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.policy import Policy
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
from schemas.errors import AlreadyExists, Rejected
from schemas.message import Command, Event

PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""How long to wait after each attempt that failed; after one more it is given up."""


class Notification(Aggregate):
    """Mail to a user."""

    category = "notification"

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self.cause = ""
        self.about = ""
        self.recipients: tuple[str, ...] = ()
        self.attempts = 0
        self.settled = False

    def evolve(self, event: Event) -> None:
        match event:
            case NotificationRequested():
                self.kind, self.cause, self.about = event.kind, event.cause, event.about
                self.recipients = event.recipients
            case DeliveryFailed():
                self.attempts = event.attempt
            case NotificationSent() | NotificationFailed():
                self.attempts, self.settled = event.attempt, True


def request_notification(issued: CommandEnvelope[RequestNotification], notification: Notification) -> None:
    """Asks for mail; the command's id is the notification's, so each cause has one."""
    if notification.kind is not None:
        raise AlreadyExists(f"the notification {notification.key} was requested before")
    fields = {name: getattr(issued.data, name) for name in RequestNotification.model_fields}
    notification.record(NotificationRequested(notification_id=UUID(notification.key), **fields))


def record_delivery(issued: CommandEnvelope[RecordDelivery], notification: Notification) -> None:
    """Notes what came of an attempt, and whether there is another one."""
    command = issued.data
    if notification.kind is None:
        raise Rejected(f"there is no notification {notification.key}")
    if notification.settled or command.attempt <= notification.attempts:
        return  # an attempt that was overtaken
    told = {"notification_id": command.notification_id, "attempt": command.attempt}
    if command.problem is None:
        notification.record(NotificationSent(cause=notification.cause, **told))
    elif command.may_work_later and command.attempt <= len(PAUSES):
        again_at = issued.at + PAUSES[command.attempt - 1]
        notification.record(DeliveryFailed(problem=command.problem, again_at=again_at, **told))
    else:
        notification.record(NotificationFailed(cause=notification.cause, problem=command.problem, **told))


def welcome(recorded: RecordedEvent[UserCreated]) -> Iterable[Command]:
    user_id = recorded.data.user_id
    yield RequestNotification(kind="welcome", cause=f"user-{user_id}", recipients=(str(user_id),), about="")


def tell_of_result(recorded: RecordedEvent[ResultRecorded]) -> Iterable[Command]:
    """Tells the patient; where the patient is no user, the clinician, who knows where to find them."""
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
    Policy("notifying", {UserCreated: welcome, ResultRecorded: tell_of_result}),
    Policy("delivering", {NotificationRequested: deliver}),
)
AGGREGATES = (Notification,)
DECISIONS = (
    Decision(RequestNotification, lambda issued: (Ref(Notification, str(issued.id)),), request_notification, creates=True),
    Decision(RecordDelivery, lambda issued: (Ref(Notification, str(issued.data.notification_id)),), record_delivery),
)
