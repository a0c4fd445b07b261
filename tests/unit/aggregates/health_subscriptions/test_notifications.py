"""Notifications of subscriptions: one mail for each cause, and none about what has no subscription."""

import pytest

from aggregates.health_subscriptions.notifications import DECISIONS, POLICIES
from aggregates.scenario import FIRST_ID, Scenario, reaction_of
from schemas.health_subscriptions.data_services import DataServiceStarted
from schemas.health_subscriptions.notifications import EventReceived, ReceiveEvent, RequestNotification
from schemas.health_subscriptions.subscriptions import (
    PlanChanged,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionFailed,
    SubscriptionRemoved,
)
from schemas.message import Event
from tests.unit.aggregates.health_subscriptions.subscribers import ACTIVE, FREE, ID, IDS, PENDING, PRO

NOTIFYING, _ = POLICIES


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (ACTIVE, "created"),
        (SubscriptionActivated(**IDS), "activated"),
        (SubscriptionFailed(**IDS, is_pending=True, reason="x"), "failed"),
        (SubscriptionRemoved(**IDS, reason="x"), "removed"),
        (PlanChanged(**IDS, old=PRO, new=FREE), "plan_changed"),
        (SubscriptionCancelled(**IDS, reason="x"), "cancelled"),
        (DataServiceStarted(data_service_id=ID, subscription_id=ID), "started"),
    ],
)
def test_the_customer_of_a_subscription_is_notified(event: Event, kind: str) -> None:
    (request,) = reaction_of(NOTIFYING, event)

    assert isinstance(request, RequestNotification)
    assert (request.kind, request.cause, request.recipients, request.about) == (
        kind,
        f"subscription-{ID}",
        (str(ID),),
        str(ID),
    )


def test_a_pending_subscription_is_announced_when_it_is_active_and_a_service_of_its_own_is_not() -> None:
    assert reaction_of(NOTIFYING, PENDING) == ()
    assert reaction_of(NOTIFYING, SubscriptionFailed(**IDS, is_pending=False, reason="x")) == ()
    assert reaction_of(NOTIFYING, DataServiceStarted(data_service_id=ID, subscription_id=None)) == ()


def test_events_of_other_systems_are_kept() -> None:
    Scenario(DECISIONS).when(ReceiveEvent(text="ProcesoFinalizado")).then(
        EventReceived(event_id=FIRST_ID, text="ProcesoFinalizado")
    )
