"""Notifications to customers: mail about what happens to their subscriptions, sent once for each cause."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from schemas.health_subscriptions.roles import OPERATORS
from schemas.message import Command, Event
from schemas.notifications import messages
from schemas.notifications.messages import NotificationMessages

Kind = Literal[
    "created", "activated", "failed", "removed", "plan_changed", "cancelled", "paid", "expert_assigned", "started", "finished"
]


class RequestNotification(messages.RequestNotification, internal=True):
    """Requests mail to the customer of a subscription."""

    kind: Kind


class DeliverNotification(messages.DeliverNotification, internal=True):
    """Tries to hand a notification to the mail server."""


class RecordDelivery(messages.RecordDelivery, internal=True):
    """Records the result of an attempt to deliver a notification."""


class ReceiveEvent(Command, access=OPERATORS):
    """Records an event of another system, as its text."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class EventReceived(Event):
    """An event of another system was received."""

    event_id: UUID
    text: str


class NotificationRequested(messages.NotificationRequested):
    """Mail was requested."""

    kind: Kind


class DeliveryFailed(messages.DeliveryFailed):
    """The mail server did not accept the mail; another attempt follows."""


class NotificationSent(messages.NotificationSent):
    """The mail server accepted the mail."""


class NotificationConfirmed(messages.NotificationConfirmed):
    """The mail server has confirmed the mail."""


class NotificationFailed(messages.NotificationFailed):
    """The mail could not be delivered, and no attempt follows."""


MESSAGES = NotificationMessages(
    RequestNotification,
    DeliverNotification,
    RecordDelivery,
    NotificationRequested,
    DeliveryFailed,
    NotificationSent,
    NotificationFailed,
    NotificationConfirmed,
)
COMMANDS: tuple[type[Command], ...] = (*MESSAGES.commands, ReceiveEvent)
EVENTS: tuple[type[Event], ...] = (*MESSAGES.events, EventReceived)
