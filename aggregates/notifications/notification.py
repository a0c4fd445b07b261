"""A notification: how long its delivery is tried."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aggregates.decision import Decision, Decisions, Events
from aggregates.notifications.redelivery import redelivery
from aggregates.policy import Policy
from aggregates.sagas.definition import SagaDefinition
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command, Event
from schemas.notifications.messages import (
    DeliveryFailed,
    NotificationFailed,
    NotificationMessages,
    NotificationRequested,
    NotificationSent,
    RecordDelivery,
    RequestNotification,
)
from schemas.values.times import later

PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""The pause after each failed attempt; when all are used, the next failed attempt is the last."""


class Notification(State):
    """Mail to a user."""

    kind: str | None = None
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


@dataclass(frozen=True, slots=True)
class Notifications:
    """The notifications of one system: what its `Domain` has of them."""

    messages: NotificationMessages
    stream: Stream[Notification]
    redelivery: SagaDefinition[Any]
    """Tries failed deliveries again."""

    @classmethod
    def of(cls, messages: NotificationMessages) -> "Notifications":
        """Returns the notifications of the system with these messages."""
        return cls(messages, Stream("notification", Notification, evolve), redelivery(messages))

    @property
    def decisions(self) -> Decisions:
        """The decisions on requests and on results of deliveries."""
        return (
            Decision(self.messages.request, self.stream.create(), self.request),
            Decision(self.messages.record, self.stream.change("notification_id"), self.record),
        )

    @property
    def delivering(self) -> Policy:
        """The policy that has each requested notification delivered."""
        return Policy("delivering", {self.messages.requested: self.deliver})

    def request(self, command: CommandEnvelope[RequestNotification]) -> Events:
        """Requests mail, unless nobody gets it; the command's id is the notification's, so each cause has one."""
        if command.data.recipients:
            yield self.messages.requested(notification_id=command.id, **dict(command.data))

    def record(self, command: CommandEnvelope[RecordDelivery], notification: Notification) -> Events:
        """Records the result of an attempt, and whether another one follows."""
        data = command.data
        if notification.finished or data.attempt <= notification.attempts:
            return  # a later attempt was recorded first
        fields: dict[str, Any] = {"notification_id": data.notification_id, "attempt": data.attempt}
        if data.problem is None:
            yield self.messages.sent(cause=notification.cause, **fields)
            if self.messages.confirmed is not None:
                yield self.messages.confirmed(notification_id=data.notification_id, cause=notification.cause)
        elif data.may_work_later and data.attempt <= len(PAUSES):
            again_at = later(command.at, PAUSES[data.attempt - 1])
            yield self.messages.delivery_failed(problem=data.problem, again_at=again_at, **fields)
        else:
            yield self.messages.failed(cause=notification.cause, problem=data.problem, **fields)

    def deliver(self, recorded: RecordedEvent[NotificationRequested]) -> Iterable[Command]:
        """Has a notification delivered for the first time."""
        yield self.messages.deliver(notification_id=recorded.data.notification_id)
