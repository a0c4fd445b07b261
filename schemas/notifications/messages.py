"""The messages of notifications, of which each system declares its own subclasses."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event


class RequestNotification(Command, internal=True):
    """Requests mail to the first of its recipients who has a mailbox."""

    kind: str
    cause: str = Field(
        description="What the mail is about, and the saga that it belongs to: `user-…`, `result-…`, `dataset-…`."
    )
    recipients: tuple[str, ...] = Field(description="Empty: no mail is requested.")
    about: str = Field(description="What the mail may name without encryption: a result's number.")


class DeliverNotification(Command, internal=True):
    """Tries to hand a notification to the mail server."""

    notification_id: UUID
    attempt: int = 1


class RecordDelivery(Command, internal=True):
    """Records the result of an attempt to deliver a notification."""

    notification_id: UUID
    attempt: int
    problem: str | None = Field(default=None, description="Why it could not be delivered; null if it was delivered.")
    may_work_later: bool = True


class NotificationRequested(Event):
    """Mail was requested."""

    notification_id: UUID
    kind: str
    cause: str
    recipients: tuple[str, ...]
    about: str


class DeliveryFailed(Event):
    """The mail server did not accept the mail; another attempt follows."""

    notification_id: UUID
    attempt: int
    problem: str
    again_at: datetime


class NotificationSent(Event):
    """The mail server accepted the mail."""

    notification_id: UUID
    cause: str
    attempt: int


class NotificationConfirmed(Event):
    """The mail server has confirmed the mail; recorded together with the sending, for systems whose readers expect both."""

    notification_id: UUID
    cause: str


class NotificationFailed(Event):
    """The mail could not be delivered, and no attempt follows."""

    notification_id: UUID
    cause: str
    attempt: int
    problem: str


@dataclass(frozen=True, slots=True)
class NotificationMessages:
    """One system's own classes of the messages."""

    request: type[RequestNotification]
    deliver: type[DeliverNotification]
    record: type[RecordDelivery]
    requested: type[NotificationRequested]
    delivery_failed: type[DeliveryFailed]
    sent: type[NotificationSent]
    failed: type[NotificationFailed]
    confirmed: type[NotificationConfirmed] | None = None

    @property
    def commands(self) -> tuple[type[Command], ...]:
        """The commands of the system's context of notifications."""
        return (self.request, self.deliver, self.record)

    @property
    def events(self) -> tuple[type[Event], ...]:
        """The events of the system's context of notifications."""
        confirmed = () if self.confirmed is None else (self.confirmed,)
        return (self.requested, self.delivery_failed, self.sent, self.failed, *confirmed)
