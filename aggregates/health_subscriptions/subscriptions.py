"""Subscriptions: pending until all that their plan has is there, active, and ended."""

from typing import Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Events
from aggregates.state import State
from aggregates.stream import EventOf, Stream, StreamUse
from schemas.envelope import CommandEnvelope
from schemas.health_subscriptions.parts import Customer, Invoice, Plan, customer_id_of
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
    Operation,
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
from schemas.message import Event

SIMULATED = "simulated failure"


class Subscription(State, snapshot_every=100):  # each payment adds an event
    """A subscription."""

    status: Literal["none", "pending", "active", "cancelled", "removed"] = "none"
    customer_id: UUID | None = None
    email: str | None = None
    plan: Plan = Plan()

    @property
    def exists(self) -> bool:
        """Whether it was created and has not ended."""
        return self.status in ("pending", "active")


class Request(State):
    """A request for a subscription with all that its plan has."""

    customer_id: UUID | None = None
    email: str | None = None


def evolve(subscription: Subscription, event: Event) -> Subscription:
    match event:
        case SubscriptionCreated(customer_id=customer_id, customer=customer, plan=plan, is_pending=is_pending):
            status: Literal["pending", "active"] = "pending" if is_pending else "active"
            return Subscription(status=status, customer_id=customer_id, email=customer.email, plan=plan)
        case SubscriptionActivated():
            return subscription.replace(status="active")
        case SubscriptionRemoved():
            return subscription.replace(status="removed")
        case SubscriptionCancelled():
            return subscription.replace(status="cancelled")
        case PlanChanged(new=new):
            return subscription.replace(plan=new)
    return subscription


def evolve_request(request: Request, event: Event) -> Request:
    if isinstance(event, SubscriptionRequested):
        return Request(customer_id=event.customer_id, email=event.customer.email)
    return request


def _subscription_id(command: CommandEnvelope[StartSubscription | CreateSubscription]) -> UUID:
    return command.data.subscription_id or command.id


def _key(command: CommandEnvelope[StartSubscription | CreateSubscription]) -> str:
    return str(_subscription_id(command))


SUBSCRIPTION = Stream("subscription", Subscription, evolve)
REQUEST = Stream("subscriptionrequest", Request, evolve_request)
FAILED_REQUEST = REQUEST.at(_key)
FAILED_PENDING = REQUEST.at("subscription_id")


def start(command: CommandEnvelope[StartSubscription], request: Request) -> Events:
    """Requests a subscription once; a repeat of it by another command is no other request."""
    if request.customer_id is None:
        data = command.data
        yield SubscriptionRequested(
            subscription_id=_subscription_id(command), customer_id=data.customer_id, customer=data.customer, plan=data.plan
        )


def create(command: CommandEnvelope[CreateSubscription], subscription: Subscription, request: Request) -> Events:
    """Creates a subscription that is active at once, or records why not."""
    data, id = command.data, _subscription_id(command)
    yield from _created(id, data.customer, data.plan, subscription, FAILED_REQUEST, is_pending=False)


def create_pending(command: CommandEnvelope[CreatePendingSubscription], subscription: Subscription, request: Request) -> Events:
    """Creates a pending subscription, or records why not."""
    data = command.data
    if data.simulated_failure:
        yield _failure(data.subscription_id, data.customer, SIMULATED, FAILED_PENDING, is_pending=True)
        return
    yield from _created(data.subscription_id, data.customer, data.plan, subscription, FAILED_PENDING, is_pending=True)


def _created(
    id: UUID, customer: Customer, plan: Plan, subscription: Subscription, failed: StreamUse[Request], *, is_pending: bool
) -> Events:
    if not plan.is_chosen:
        yield _failure(id, customer, NO_PLAN, failed, is_pending=is_pending)
    elif subscription.status != "none":
        yield _failure(id, customer, EXISTS, failed, is_pending=is_pending)
    else:
        yield SubscriptionCreated(
            subscription_id=id,
            customer_id=customer_id_of(customer.code),
            customer=customer,
            plan=plan,
            is_pending=is_pending,
        )


def _failure(id: UUID, customer: Customer, reason: str, failed: StreamUse[Request], *, is_pending: bool) -> EventOf:
    return failed.records(
        SubscriptionFailed(subscription_id=id, customer_id=customer_id_of(customer.code), is_pending=is_pending, reason=reason)
    )


def activate(command: CommandEnvelope[ActivateSubscription], subscription: Subscription) -> Events:
    """Activates a pending subscription."""
    if subscription.status == "pending":
        yield SubscriptionActivated(subscription_id=command.data.subscription_id, customer_id=subscription.customer_id)


def remove(command: CommandEnvelope[RemoveSubscription], subscription: Subscription) -> Events:
    """Takes the creation of a subscription back, if there is one."""
    if subscription.exists:
        yield _removed(command.data, subscription)


def remove_pending(command: CommandEnvelope[RemovePendingSubscription], subscription: Subscription) -> Events:
    """Takes the creation of a pending subscription back."""
    if subscription.status == "pending":
        yield _removed(command.data, subscription)


def _removed(data: RemoveSubscription | RemovePendingSubscription, subscription: Subscription) -> SubscriptionRemoved:
    return SubscriptionRemoved(subscription_id=data.subscription_id, customer_id=subscription.customer_id, reason=data.reason)


def change_plan(command: CommandEnvelope[ChangePlan], subscription: Subscription) -> Events:
    """Gives an active subscription another plan, or records why not."""
    data = command.data
    if (why := _why_not(subscription)) is None and not data.plan.is_chosen:
        why = NO_PLAN
    if why is not None:
        yield _rejected(data.subscription_id, "change-plan", why)
    elif data.plan != subscription.plan:
        yield PlanChanged(
            subscription_id=data.subscription_id, customer_id=subscription.customer_id, old=subscription.plan, new=data.plan
        )


def cancel(command: CommandEnvelope[CancelSubscription], subscription: Subscription) -> Events:
    """Ends a subscription that has not ended, or records why not."""
    data = command.data
    if subscription.exists:
        yield SubscriptionCancelled(
            subscription_id=data.subscription_id, customer_id=subscription.customer_id, reason=data.reason
        )
    else:
        yield _rejected(data.subscription_id, "cancel", _why_not(subscription) or IS_CANCELLED)


def pay(command: CommandEnvelope[PaySubscription], subscription: Subscription) -> Events:
    """Records a payment for an active subscription, or why there is none."""
    data = command.data
    if (why := _why_not(subscription)) is not None:
        yield _rejected(data.subscription_id, "pay", why)
        return
    invoice = Invoice(
        invoice_id=command.id,
        total=data.total,
        created_at=command.at,
        method_name=data.method_name,
        method_ending=data.method_ending,
    )
    yield SubscriptionPaid(subscription_id=data.subscription_id, customer_id=subscription.customer_id, invoice=invoice)


def _why_not(subscription: Subscription) -> str | None:
    """Returns why an operation on an active subscription is not possible, or ``None``."""
    match subscription.status:
        case "active":
            return None
        case "pending":
            return IS_PENDING
        case "cancelled":
            return IS_CANCELLED
    return NO_SUBSCRIPTION


def _rejected(id: UUID, operation: Operation, reason: str) -> SubscriptionChangeRejected:
    return SubscriptionChangeRejected(subscription_id=id, operation=operation, reason=reason)


DECISIONS: Decisions = (
    Decision(StartSubscription, REQUEST.create_or_change(_key, usually_new=True), start),
    Decision(CreateSubscription, SUBSCRIPTION.create_or_change(_key, usually_new=True), create, writes=(FAILED_REQUEST,)),
    Decision(
        CreatePendingSubscription,
        SUBSCRIPTION.create_or_change("subscription_id", usually_new=True),
        create_pending,
        writes=(FAILED_PENDING,),
    ),
    Decision(ActivateSubscription, SUBSCRIPTION.create_or_change("subscription_id"), activate),
    Decision(RemoveSubscription, SUBSCRIPTION.create_or_change("subscription_id"), remove),
    Decision(RemovePendingSubscription, SUBSCRIPTION.create_or_change("subscription_id"), remove_pending),
    Decision(ChangePlan, SUBSCRIPTION.create_or_change("subscription_id"), change_plan),
    Decision(CancelSubscription, SUBSCRIPTION.create_or_change("subscription_id"), cancel),
    Decision(PaySubscription, SUBSCRIPTION.create_or_change("subscription_id"), pay),
)
