"""The saga of a subscription: every way from its request to its end."""

from datetime import timedelta
from uuid import UUID

import pytest

from aggregates.health_subscriptions.plans import INFRASTRUCTURE, Plans, PlanSteps, Step, Subscribing
from aggregates.health_subscriptions.subscribing import SubscribingWith
from aggregates.sagas.scenario import SagaScenario
from schemas.errors import Misconfigured
from schemas.health_subscriptions.data_services import (
    AssignExpert,
    Expert,
    ExpertAssigned,
    InfrastructureCreated,
    InfrastructureNotCreated,
    ProvisionPlan,
    RemoveInfrastructure,
)
from schemas.health_subscriptions.parts import data_service_id_of
from schemas.health_subscriptions.subscriptions import (
    ActivateSubscription,
    CreatePendingSubscription,
    RemovePendingSubscription,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionFailed,
    SubscriptionRemoved,
)
from schemas.message import Command, Event
from tests.unit.aggregates.health_subscriptions.subscribers import ACTIVE, CUSTOMER, FREE, ID, IDS, PENDING, PRO, REQUESTED

SAGA = SubscribingWith(Plans.of({})).definition()
SERVICE = {"data_service_id": data_service_id_of(ID), "subscription_id": ID}
CREATE = CreatePendingSubscription(subscription_id=ID, customer=CUSTOMER, plan=PRO)
PROVISION = ProvisionPlan(subscription_id=ID, customer_code="0001", plan_code="PRO")
REMOVE = RemovePendingSubscription(subscription_id=ID, reason="the saga failed")
UNPROVISION = RemoveInfrastructure(subscription_id=ID, reason="the subscription failed")
ACTIVATE = ActivateSubscription(subscription_id=ID)
A_MINUTE = timedelta(minutes=1)


def created() -> SagaScenario:
    return SagaScenario(SAGA).happens(REQUESTED).sends(CREATE).accepts().happens(PENDING).sends(PROVISION)


def test_a_plan_with_infrastructure_is_active_when_it_is_provided() -> None:
    story = created().accepts().happens(InfrastructureCreated(**SERVICE)).sends(ACTIVATE).accepts()
    story.happens(SubscriptionActivated(**IDS)).becomes("completed")
    story.waits(10 * A_MINUTE).sends().becomes("completed")


def test_nothing_fails_a_saga_whose_subscription_is_being_activated() -> None:
    story = created().accepts().happens(InfrastructureCreated(**SERVICE)).sends(ACTIVATE).waits(10 * A_MINUTE)
    story.sends().becomes("running").accepts().happens(SubscriptionActivated(**IDS)).becomes("completed")


@pytest.mark.parametrize(
    "event", [SubscriptionCancelled(**IDS, reason="enough"), SubscriptionRemoved(**IDS, reason="by topic")]
)
def test_a_subscription_that_somebody_ends_meanwhile_loses_its_infrastructure(event: Event) -> None:
    story = created().accepts().happens(event).sends(UNPROVISION).accepts().sends(REMOVE).accepts()
    story.becomes("failed", because="the subscription ended")


def test_infrastructure_that_is_anothers_is_not_removed() -> None:
    created().rejects("exists").sends(REMOVE).accepts().becomes("failed", because="exists")


def test_a_step_with_an_event_of_the_saga_itself_is_misconfigured() -> None:
    plans = Plans.of({"odd": PlanSteps("odd", "", (Step("odd", expert, SubscriptionActivated),))})

    with pytest.raises(Misconfigured, match="a step of a plan ends with SubscriptionActivated"):
        SubscribingWith(plans).definition()


def test_one_event_may_be_the_end_of_one_plans_step_and_the_failure_of_anothers() -> None:
    odd = PlanSteps("odd", "", (Step("odd", expert, InfrastructureNotCreated, InfrastructureCreated),))
    saga = SubscribingWith(Plans.of({"odd": odd})).definition()
    failed = InfrastructureNotCreated(**SERVICE, reason="x")

    for code, status in (("odd", "running"), ("pro", "compensating")):
        plan = PRO.model_copy(update={"code": code})
        story = SagaScenario(saga).happens(REQUESTED.model_copy(update={"plan": plan})).accepts().happens(PENDING)
        assert story.happens(failed).saga.status == status


def test_a_plan_without_steps_is_active_at_once() -> None:
    requested = REQUESTED.model_copy(update={"plan": FREE})
    story = SagaScenario(SAGA).happens(requested).accepts().happens(PENDING).sends(ACTIVATE)
    story.accepts().happens(SubscriptionActivated(**IDS)).becomes("completed")


def test_a_subscription_that_is_not_created_ends_the_saga() -> None:
    failed = SubscriptionFailed(**IDS, is_pending=True, reason="no plan")
    story = SagaScenario(SAGA).happens(REQUESTED).accepts().happens(failed).sends(REMOVE)
    story.accepts().becomes("failed", because="no plan")


def test_the_creation_of_another_sender_is_none_of_the_sagas() -> None:
    others = SubscriptionFailed(**IDS, is_pending=False, reason="exists")
    story = SagaScenario(SAGA).happens(REQUESTED).happens(ACTIVE).sends().happens(others).sends().becomes("running")
    story.accepts().happens(PENDING).sends(PROVISION)


def test_infrastructure_that_is_not_provided_takes_the_subscription_back() -> None:
    story = created().accepts().happens(InfrastructureNotCreated(**SERVICE, reason="no room")).sends(UNPROVISION)
    story.accepts().sends(REMOVE).accepts().becomes("failed", because="no room")


def test_a_step_that_takes_too_long_is_compensated_once_its_outcome_is_known() -> None:
    story = created().waits(A_MINUTE).sends().becomes("compensating", because="too long")
    story.accepts().sends(UNPROVISION).accepts().sends(REMOVE).accepts().becomes("failed")


def test_a_creation_that_takes_too_long_is_compensated() -> None:
    story = SagaScenario(SAGA).happens(REQUESTED).waits(A_MINUTE).sends().accepts().sends(REMOVE)
    story.accepts().becomes("failed", because="too long")


def test_events_of_other_steps_are_ignored() -> None:
    story = SagaScenario(SAGA).happens(REQUESTED).happens(InfrastructureCreated(**SERVICE)).sends()
    story.happens(InfrastructureNotCreated(**SERVICE, reason="x")).sends().becomes("running")


def test_infrastructure_without_a_saga_starts_none() -> None:
    story = SagaScenario(SAGA).happens(InfrastructureCreated(**SERVICE))

    assert story.steps == ()


def expert(state: Subscribing) -> Command:
    assert state.subscription_id is not None
    return AssignExpert(data_service_id=data_service_id_of(state.subscription_id), code="e1")


def test_a_plan_of_a_package_has_its_own_steps_compensated_newest_first() -> None:
    plans = Plans.of({"premium": PlanSteps("Premium", "", (INFRASTRUCTURE, Step("expert", expert, ExpertAssigned)))})
    requested = REQUESTED.model_copy(update={"plan": PRO.model_copy(update={"code": "PREMIUM"})})
    assign = AssignExpert(data_service_id=data_service_id_of(ID), code="e1")
    assigned = ExpertAssigned(
        **SERVICE,
        expert=Expert(code="e1", first_names=None, last_names=None, username=None, national_id=None, email=None),
    )

    def provided() -> SagaScenario:
        story = SagaScenario(SubscribingWith(plans).definition()).happens(requested).accepts().happens(PENDING).accepts()
        return story.happens(InfrastructureCreated(**SERVICE)).sends(assign)

    provided().accepts().happens(assigned).sends(ACTIVATE)
    story = provided().rejects("nobody is free").sends(UNPROVISION).accepts().sends(REMOVE)
    story.accepts().becomes("failed", because="nobody is free")
    assert UUID(int=7) == ID
