"""Subscribing: a saga from the request of a subscription to one that is active with all that its plan has, or to nothing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aggregates.health_subscriptions.plans import Plans, Step, Subscribing
from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from schemas.engine.sagas import SagaInput
from schemas.errors import Misconfigured
from schemas.health_subscriptions.subscriptions import (
    ActivateSubscription,
    CreatePendingSubscription,
    RemovePendingSubscription,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionCreated,
    SubscriptionFailed,
    SubscriptionRemoved,
    SubscriptionRequested,
)
from schemas.message import Event
from schemas.values.times import later

_CREATION_SECONDS = timedelta(seconds=60)
STEP = "step"
"""The timer of the step that is in progress."""


def requested(_: Subscribing, event: SubscriptionRequested, input: SagaInput) -> Transition[Subscribing]:
    state = Subscribing(
        subscription_id=event.subscription_id,
        customer_id=event.customer_id,
        customer_code=event.customer.code,
        plan=event.plan,
    )
    create = CreatePendingSubscription(subscription_id=event.subscription_id, customer=event.customer, plan=event.plan)
    compensation = RemovePendingSubscription(subscription_id=event.subscription_id, reason="the saga failed")
    return Transition(state, send=[Send(create, compensation)], set_timers={STEP: later(input.at, _CREATION_SECONDS)})


def not_created(state: Subscribing, event: SubscriptionFailed, input: SagaInput) -> Transition[Subscribing]:
    """Fails, unless it is the creation of another sender that failed."""
    if state.is_created or not event.is_pending:
        return Transition(state)
    return Transition(state, status="failed", reason=event.reason, cancel_timers=(STEP,))


def activated(state: Subscribing, event: SubscriptionActivated, input: SagaInput) -> Transition[Subscribing]:
    return Transition(state, status="completed", cancel_timers=(STEP,))


def ended(state: Subscribing, event: SubscriptionCancelled | SubscriptionRemoved, input: SagaInput) -> Transition[Subscribing]:
    """Fails: somebody ended the subscription before it was active."""
    return Transition(state, status="failed", reason="the subscription ended", cancel_timers=(STEP,))


def too_late(state: Subscribing, input: SagaInput) -> Transition[Subscribing]:
    return Transition(state, status="failed", reason="a step took too long")


@dataclass(frozen=True, slots=True)
class SubscribingWith:
    """The reactions that depend on the plans that are installed."""

    plans: Plans

    def created(self, state: Subscribing, event: SubscriptionCreated, input: SagaInput) -> Transition[Subscribing]:
        """Goes on with the first step of the plan, if it is the saga's own creation."""
        return self._next(state.replace(is_created=True), input) if event.is_pending else Transition(state)

    def stepped(self, state: Subscribing, event: Event, input: SagaInput) -> Transition[Subscribing]:
        """Goes on with the next step or fails, if it is the step in progress that is done or failed."""
        step = self._step(state)
        if step is not None and isinstance(event, step.done):
            return self._next(state.replace(done=state.done + 1), input)
        if step is not None and step.failed is not None and isinstance(event, step.failed):
            return Transition(state, status="failed", reason=getattr(event, "reason", step.name), cancel_timers=(STEP,))
        return Transition(state)

    def definition(self) -> SagaDefinition[Subscribing]:
        """Returns the saga with the events of all plans' steps; raises `Misconfigured` for a step with an event of its own."""
        own: dict[type[Event], Reaction[Any]] = {
            SubscriptionRequested: Reaction("subscription_id", requested, starts=True),
            SubscriptionCreated: Reaction("subscription_id", self.created),
            SubscriptionFailed: Reaction("subscription_id", not_created),
            SubscriptionActivated: Reaction("subscription_id", activated),
            SubscriptionCancelled: Reaction("subscription_id", ended),
            SubscriptionRemoved: Reaction("subscription_id", ended),
        }
        steps = [step for plan in self.plans.by_code.values() for step in plan.steps]
        of_steps = {event for step in steps for event in (step.done, step.failed) if event is not None}
        if taken := sorted(event.__name__ for event in of_steps & own.keys()):
            raise Misconfigured(f"a step of a plan ends with {taken[0]}, to which the saga itself reacts: use another event")
        return SagaDefinition(
            "subscription",
            Subscribing,
            {**own, **{event: Reaction("subscription_id", self.stepped) for event in of_steps}},
            on_timer={STEP: too_late},
            references=("subscription_id", "customer_id"),
            events_follow_start=True,
        )

    def _step(self, state: Subscribing) -> Step | None:
        """Returns the step in progress, ``None`` before the first one and after the last one."""
        steps = self.plans.steps_of(state.plan)
        return steps[state.done] if state.is_created and state.done < len(steps) else None

    def _next(self, state: Subscribing, input: SagaInput) -> Transition[Subscribing]:
        step = self._step(state)
        if step is None:
            # From here on nothing fails it: an activation that is late must not be compensated.
            activate = ActivateSubscription(subscription_id=state.subscription_id)
            return Transition(state, send=[Send(activate)], cancel_timers=(STEP,))
        compensation = None if step.compensation is None else step.compensation(state)
        return Transition(state, send=[Send(step.send(state), compensation)], set_timers={STEP: later(input.at, step.within)})
