"""Plans by their codes: the built-in one, those of packages, and codes that nobody knows."""

import pytest

from aggregates.health_subscriptions.plans import INFRASTRUCTURE, Plans, PlanSteps
from schemas.errors import Misconfigured
from schemas.health_subscriptions.parts import Plan


def test_codes_are_compared_without_regard_to_case_and_unknown_ones_have_no_steps() -> None:
    plans = Plans.of({"basic": PlanSteps("Basic", "Basic")})

    assert plans.steps_of(Plan(code=" PRO ")) == (INFRASTRUCTURE,)
    assert plans.steps_of(Plan(code="basic")) == plans.steps_of(Plan(code="nothing")) == ()


def test_a_code_is_registered_once() -> None:
    with pytest.raises(Misconfigured, match="the entry point 'mine' registers the plan 'PRO', which exists already"):
        Plans.of({"mine": PlanSteps("PRO", "")})
