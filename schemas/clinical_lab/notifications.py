"""Notifications: mail to users, tried again for a while where it cannot be delivered, and sent once for each cause."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event

Kind = Literal["welcome", "result"]


class RequestNotification(Command, internal=True):
    """Asks for mail to the first of some users who has a mailbox."""

    kind: Kind
    cause: str = Field(description="What it is about, and the process that it belongs to: `user-…` or `result-…`.")
    recipients: tuple[str, ...]
    about: str = Field(description="What may be said in plain words: a result's number.")


class DeliverNotification(Command, internal=True):
    """Tries to hand a notification to the mail server."""

    notification_id: UUID
    attempt: int = 1


class RecordDelivery(Command, internal=True):
    """Notes what came of that."""

    notification_id: UUID
    attempt: int
    problem: str | None = Field(default=None, description="Why it could not be delivered; null where it was.")
    may_work_later: bool = True


class NotificationRequested(Event):
    """Mail is to be sent."""

    notification_id: UUID
    kind: Kind
    cause: str
    recipients: tuple[str, ...]
    about: str


class DeliveryFailed(Event):
    """The mail could not be handed over; it is tried again."""

    notification_id: UUID
    attempt: int
    problem: str
    again_at: datetime


class NotificationSent(Event):
    """The mail server has taken the mail."""

    notification_id: UUID
    cause: str
    attempt: int


class NotificationFailed(Event):
    """The mail was given up."""

    notification_id: UUID
    cause: str
    attempt: int
    problem: str


COMMANDS = (RequestNotification, DeliverNotification, RecordDelivery)
EVENTS = (NotificationRequested, DeliveryFailed, NotificationSent, NotificationFailed)
