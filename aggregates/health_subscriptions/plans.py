"""Plans: what a subscription of each needs before it is active, step by step. An extension point.

A package of your own adds a plan by an entry point of the group ``caudal.health_subscriptions.plans`` that names a `PlanSteps`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self
from uuid import UUID

from aggregates.state import State
from schemas.errors import Misconfigured
from schemas.health_subscriptions.data_services import (
    InfrastructureCreated,
    InfrastructureNotCreated,
    ProvisionPlan,
    RemoveInfrastructure,
)
from schemas.health_subscriptions.parts import Plan
from schemas.message import Command, Event
from schemas.values.names import caseless

_FAILED = "the subscription failed"


class Subscribing(State):
    """One subscription on its way to being active."""

    subscription_id: UUID | None = None
    customer_id: UUID | None = None
    customer_code: str = ""
    plan: Plan = Plan()
    done: int = 0
    """Steps of the plan that are done."""
    is_created: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a plan: a command, and the events that say how it ended. Both events have a ``subscription_id``."""

    name: str
    send: Callable[[Subscribing], Command]
    done: type[Event]
    failed: type[Event] | None = None
    """``None``: the command is rejected instead."""
    compensation: Callable[[Subscribing], Command] | None = None
    """The command that compensates the step; without anything to compensate it records nothing."""
    within: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class PlanSteps:
    """A plan: its code, which is compared without regard to case, its name, and its steps in order."""

    code: str
    name: str
    steps: tuple[Step, ...] = ()


def _provision(state: Subscribing) -> Command:
    return ProvisionPlan(subscription_id=state.subscription_id, customer_code=state.customer_code, plan_code=state.plan.code)


def _unprovision(state: Subscribing) -> Command:
    return RemoveInfrastructure(subscription_id=state.subscription_id, reason=_FAILED)


INFRASTRUCTURE = Step("infrastructure", _provision, InfrastructureCreated, InfrastructureNotCreated, _unprovision)
PRO = PlanSteps("pro", "PRO", (INFRASTRUCTURE,))


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans that are installed, by their codes."""

    by_code: Mapping[str, PlanSteps]

    @classmethod
    def of(cls, further: Mapping[str, PlanSteps]) -> Self:
        """Returns the built-in plan and further ones, by their entry points; raises `Misconfigured` for a code used twice."""
        found = {PRO.code: PRO}
        for entry_point, plan in further.items():
            code = caseless(plan.code)
            if code in found:
                raise Misconfigured(f"the entry point {entry_point!r} registers the plan {plan.code!r}, which exists already")
            found[code] = plan
        return cls(found)

    def steps_of(self, plan: Plan) -> tuple[Step, ...]:
        """Returns the steps of a plan; one that no package knows has none."""
        known = self.by_code.get(caseless(plan.code))
        return () if known is None else known.steps
