"""Notifications to the operator: mail about new datasets and about requests that failed, once for each cause."""

from typing import Literal

from schemas.notifications import messages
from schemas.notifications.messages import NotificationMessages

Kind = Literal[
    "dataset_created", "anonymisation_failed", "mapping_failed", "processing_failed", "took_too_long", "dataset_took_too_long"
]


class RequestNotification(messages.RequestNotification, internal=True):
    """Requests mail to the operator."""

    kind: Kind


class DeliverNotification(messages.DeliverNotification, internal=True):
    """Tries to hand a notification to the mail server."""


class RecordDelivery(messages.RecordDelivery, internal=True):
    """Records the result of an attempt to deliver a notification."""


class NotificationRequested(messages.NotificationRequested):
    """Mail was requested."""

    kind: Kind


class DeliveryFailed(messages.DeliveryFailed):
    """The mail server did not accept the mail; another attempt follows."""


class NotificationSent(messages.NotificationSent):
    """The mail server accepted the mail."""


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
)
