"""A new plan is a package: no file of this tree changes, and its steps run and are compensated."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAN = """
from aggregates.health_subscriptions.plans import INFRASTRUCTURE, PlanSteps, Step
from schemas.health_subscriptions.data_services import AssignExpert, DataServiceChangeRejected, ExpertAssigned
from schemas.health_subscriptions.parts import data_service_id_of


def assign(state):
    return AssignExpert(data_service_id=data_service_id_of(state.subscription_id), code="on-duty")


PREMIUM = PlanSteps("premium", "Premium", (INFRASTRUCTURE, Step("expert", assign, ExpertAssigned, DataServiceChangeRejected)))
"""
STORY = """
from uuid import UUID

from aggregates.sagas.scenario import SagaScenario
from schemas.health_subscriptions.data_services import (
    DataServiceChangeRejected,
    Expert,
    ExpertAssigned,
    InfrastructureCreated,
)
from schemas.health_subscriptions.parts import Customer, Plan, customer_id_of, data_service_id_of
from schemas.health_subscriptions.subscriptions import SubscriptionCreated, SubscriptionRequested
from streams.discovery import declared_domains, installed_catalog

(saga, *_) = declared_domains(installed_catalog(["health_subscriptions"]))["health_subscriptions"].sagas
ID = UUID(int=7)
CUSTOMER = Customer(**dict.fromkeys(Customer.model_fields, "x"))
FIELDS = {"subscription_id": ID, "customer_id": customer_id_of("x"), "customer": CUSTOMER}
SERVICE = {"data_service_id": data_service_id_of(ID), "subscription_id": ID}
NOBODY = Expert(**{**dict.fromkeys(Expert.model_fields), "code": "on-duty"})


def commands(story):
    return [sent.command for step in story.steps for sent in step.sent]


def provided(code):
    plan = Plan(code=code)
    story = SagaScenario(saga).happens(SubscriptionRequested(**FIELDS, plan=plan)).accepts()
    story.happens(SubscriptionCreated(**FIELDS, plan=plan, is_pending=True)).accepts()
    return story.happens(InfrastructureCreated(**SERVICE))


story = provided("premium")
assert commands(story) == ["assign-expert"], commands(story)
assert commands(story.accepts().happens(ExpertAssigned(**SERVICE, expert=NOBODY))) == ["activate-subscription"]
rejected = DataServiceChangeRejected(**SERVICE, operation="assign-expert", reason="nobody is free")
story = provided("Premium").accepts().happens(rejected)
assert commands(story) == ["remove-infrastructure"]
assert commands(story.accepts()) == ["remove-pending-subscription"]
story.accepts().becomes("failed", because="nobody is free")
assert commands(provided("pro")) == ["activate-subscription"]
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """A package that registers a plan, as an installation would leave it."""
    (tmp_path / "my_plans.py").write_text(PLAN)
    metadata = tmp_path / "my_plans-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-plans\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[caudal.health_subscriptions.plans]\npremium = my_plans:PREMIUM\n")
    yield tmp_path


def tree() -> str:
    """The state of this tree's files."""
    return subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with the package installed."""
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=False, capture_output=True, text=True)


def test_a_plan_of_a_package_runs_its_steps_and_changes_no_file(package: Path) -> None:
    before = tree()

    story = run(package, "-c", STORY)
    of_pro = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/aggregates/health_subscriptions")

    assert story.returncode == 0, story.stderr
    assert of_pro.returncode == 0, of_pro.stdout
    assert tree() == before
