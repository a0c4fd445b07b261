"""Subscriptions: created, activated, changed, paid and ended; what is not possible is an event."""

from uuid import UUID

import pytest

from aggregates.health_subscriptions.subscriptions import DECISIONS, SIMULATED
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario
from schemas.health_subscriptions.parts import Invoice, Money, Plan, customer_id_of
from schemas.health_subscriptions.subscriptions import (
    EXISTS,
    IS_CANCELLED,
    IS_PENDING,
    NO_PLAN,
    NO_SUBSCRIPTION,
    ActivateSubscription,
    CancelSubscription,
    ChangePlan,
    CreatePendingSubscription,
    CreateSubscription,
    PaySubscription,
    PlanChanged,
    RemovePendingSubscription,
    RemoveSubscription,
    StartSubscription,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionChangeRejected,
    SubscriptionCreated,
    SubscriptionFailed,
    SubscriptionPaid,
    SubscriptionRemoved,
    SubscriptionRequested,
)
from schemas.message import Command, Event
from tests.unit.aggregates.health_subscriptions.subscribers import (
    ACTIVE,
    CUSTOMER,
    FIELDS,
    FREE,
    ID,
    IDS,
    PENDING,
    PRO,
    REQUESTED,
)

ACTIVATED = SubscriptionActivated(**IDS)
CANCELLED = SubscriptionCancelled(**IDS, reason="enough")
REMOVED = SubscriptionRemoved(**IDS, reason="")


def scenario(*events: Event) -> Scenario:
    made = Scenario(DECISIONS)
    return made.given(f"subscription-{ID}", *events) if events else made


def failed(reason: str, *, is_pending: bool) -> SubscriptionFailed:
    return SubscriptionFailed(**IDS, is_pending=is_pending, reason=reason)


def rejected(operation: str, reason: str) -> SubscriptionChangeRejected:
    return SubscriptionChangeRejected.model_validate({"subscription_id": ID, "operation": operation, "reason": reason})


def test_a_subscription_is_requested_once() -> None:
    start = StartSubscription(subscription_id=ID, plan=PRO, **FIELDS)

    Scenario(DECISIONS).when(start).then(REQUESTED)
    Scenario(DECISIONS).given(f"subscriptionrequest-{ID}", REQUESTED).when(start).then()


def test_without_an_id_it_has_that_of_the_command() -> None:
    scenario().when(CreateSubscription(plan=FREE, **FIELDS)).then(
        SubscriptionCreated(
            subscription_id=FIRST_ID, customer_id=customer_id_of("0001"), customer=CUSTOMER, plan=FREE, is_pending=False
        )
    )


def test_it_is_active_at_once_or_pending_until_its_plan_is_provided() -> None:
    scenario().when(CreateSubscription(subscription_id=ID, plan=PRO, **FIELDS)).then(ACTIVE)
    scenario().when(CreatePendingSubscription(subscription_id=ID, customer=CUSTOMER, plan=PRO)).then(PENDING)
    scenario(PENDING).when(ActivateSubscription(subscription_id=ID)).then(ACTIVATED)
    scenario(ACTIVE).when(ActivateSubscription(subscription_id=ID)).then()


def test_a_creation_that_is_not_possible_is_recorded_with_the_request() -> None:
    create = CreateSubscription(subscription_id=ID, plan=PRO, **FIELDS)
    no_plan = CreateSubscription(subscription_id=ID, plan=Plan(code=" "), **FIELDS)
    pending = CreatePendingSubscription(subscription_id=ID, customer=CUSTOMER, plan=PRO)

    for made, reason in (
        (scenario().when(no_plan), NO_PLAN),
        (scenario(ACTIVE).when(create), EXISTS),
        (scenario(CANCELLED).when(create), EXISTS),
    ):
        made.then(failed(reason, is_pending=False))
        assert made.streams == (f"subscriptionrequest-{ID}",)
    scenario(ACTIVE).when(pending).then(failed(EXISTS, is_pending=True))
    scenario().when(pending.model_copy(update={"simulated_failure": True})).then(failed(SIMULATED, is_pending=True))


def test_a_creation_is_taken_back_if_there_is_one() -> None:
    remove, pending = RemoveSubscription(subscription_id=ID), RemovePendingSubscription(subscription_id=ID)

    for created in (PENDING, ACTIVE):
        scenario(created).when(remove).then(REMOVED)
    scenario(PENDING).when(pending).then(REMOVED)
    scenario(ACTIVE).when(pending).then()
    for events in ((), (ACTIVE, REMOVED), (ACTIVE, CANCELLED)):
        scenario(*events).when(remove).then()


CHANGES: tuple[tuple[Command, str], ...] = (
    (ChangePlan(subscription_id=ID, plan=FREE), "change-plan"),
    (PaySubscription(subscription_id=ID, total=Money(cents=100, currency="COP")), "pay"),
)


@pytest.mark.parametrize(("command", "operation"), CHANGES)
def test_a_change_of_what_is_not_active_is_recorded_as_rejected(command: Command, operation: str) -> None:
    scenario().when(command).then(rejected(operation, NO_SUBSCRIPTION))
    scenario(ACTIVE, REMOVED).when(command).then(rejected(operation, NO_SUBSCRIPTION))
    scenario(PENDING).when(command).then(rejected(operation, IS_PENDING))
    scenario(ACTIVE, CANCELLED).when(command).then(rejected(operation, IS_CANCELLED))


def test_a_plan_is_changed_for_another_one() -> None:
    scenario(ACTIVE).when(ChangePlan(subscription_id=ID, plan=FREE)).then(PlanChanged(**IDS, old=PRO, new=FREE))
    scenario(ACTIVE).when(ChangePlan(subscription_id=ID, plan=PRO)).then()
    scenario(ACTIVE).when(ChangePlan(subscription_id=ID, plan=Plan())).then(rejected("change-plan", NO_PLAN))
    scenario(ACTIVE, PlanChanged(**IDS, old=PRO, new=FREE)).when(ChangePlan(subscription_id=ID, plan=FREE)).then()


def test_a_payment_is_an_invoice() -> None:
    total = Money(cents=150_050, currency="COP")
    pay = PaySubscription(subscription_id=ID, total=total, method_name="VISA", method_ending="1111")

    scenario(PENDING, ACTIVATED).when(pay).then(
        SubscriptionPaid(
            **IDS,
            invoice=Invoice(invoice_id=FIRST_ID, total=total, created_at=MIDNIGHT, method_name="VISA", method_ending="1111"),
        )
    )


def test_it_is_cancelled_once() -> None:
    cancel = CancelSubscription(subscription_id=ID, reason="enough")

    for created in (PENDING, ACTIVE):
        scenario(created).when(cancel).then(CANCELLED)
    scenario(ACTIVE, CANCELLED).when(cancel).then(rejected("cancel", IS_CANCELLED))
    scenario().when(cancel).then(rejected("cancel", NO_SUBSCRIPTION))


def test_customers_are_known_by_any_spelling_of_their_code() -> None:
    assert customer_id_of(" Ab ") == customer_id_of("aB") != customer_id_of("ac")
    assert isinstance(customer_id_of("x"), UUID)
    assert SubscriptionRequested.message_name == "SubscriptionRequested"
