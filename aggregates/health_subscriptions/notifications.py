"""Notifications: which mail a subscription's customer gets, one for each cause."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aggregates.decision import Decision, Decisions, Events
from aggregates.notifications.notification import Notifications
from aggregates.policy import Policy
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.health_subscriptions.data_services import DataServiceFinished, DataServiceStarted, ExpertAssigned
from schemas.health_subscriptions.notifications import MESSAGES, EventReceived, Kind, ReceiveEvent, RequestNotification
from schemas.health_subscriptions.subscriptions import (
    PlanChanged,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionCreated,
    SubscriptionFailed,
    SubscriptionPaid,
    SubscriptionRemoved,
)
from schemas.message import Command, Event

NOTIFICATIONS = Notifications.of(MESSAGES)

_KINDS: Mapping[type[Event], Kind] = {
    SubscriptionActivated: "activated",
    SubscriptionRemoved: "removed",
    PlanChanged: "plan_changed",
    SubscriptionCancelled: "cancelled",
    SubscriptionPaid: "paid",
    ExpertAssigned: "expert_assigned",
    DataServiceStarted: "started",
    DataServiceFinished: "finished",
}


def created(recorded: RecordedEvent[SubscriptionCreated]) -> Iterable[Command]:
    """Announces a subscription that is active at once; one that is pending is announced when it is active."""
    if not recorded.data.is_pending:
        yield _notification("created", recorded)


def failed(recorded: RecordedEvent[SubscriptionFailed]) -> Iterable[Command]:
    """Notifies the customer who requested a subscription with all that its plan has; of another request nothing is known."""
    if recorded.data.is_pending:
        yield _notification("failed", recorded)


def _reaction(kind: Kind) -> Callable[[RecordedEvent[Any]], Iterable[Command]]:
    def announce(recorded: RecordedEvent[Any]) -> Iterable[Command]:
        if recorded.data.subscription_id is not None:
            yield _notification(kind, recorded)

    return announce


def _notification(kind: Kind, recorded: RecordedEvent[Any]) -> RequestNotification:
    id = str(recorded.data.subscription_id)
    return RequestNotification(kind=kind, cause=f"subscription-{id}", recipients=(id,), about=id)


def receive(command: CommandEnvelope[ReceiveEvent]) -> Events:
    """Records an event of another system."""
    yield EventReceived(event_id=command.id, text=command.data.text)


DECISIONS: Decisions = (*NOTIFICATIONS.decisions, Decision(ReceiveEvent, Stream("received").create(), receive))
POLICIES = (
    Policy(
        "notifying",
        {
            SubscriptionCreated: created,
            SubscriptionFailed: failed,
            **{event: _reaction(kind) for event, kind in _KINDS.items()},
        },
    ),
    NOTIFICATIONS.delivering,
)
