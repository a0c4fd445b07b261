"""The code in the documents runs unchanged."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import FreshDatabase

DOCS = Path(__file__).parents[2] / "docs"
PRELUDE = """
from typing import Any

from aggregates.state import State
from schemas.catalog import Catalog
from schemas.system import Context, ContextName, System
from schemas.message import Event
from schemas.upcasting import Upcaster


class OrderPlaced(Event, schema_version=2):
    amount_cents: int
"""
AFTER = """
orders = Context("orders", events=(OrderPlaced,), upcasters=(Upcaster("OrderPlaced", 1, in_cents),))
catalog = Catalog.of([System("shop", (orders,))])
assert catalog.read_event(ContextName("shop", "orders"), "OrderPlaced", 1, '{"amount": 12.5}').amount_cents == 1250
assert Account.snapshot_every == 100
"""


BEFORE_README = """
from uuid import UUID

from aggregates.decision import Decision, Events
from aggregates.scenario import Scenario
from aggregates.state import State
from aggregates.stream import Stream
from aggregates.system import Domain
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.message import Command, Event


class FinishTask(Command):
    task_id: UUID


class TaskFinished(Event):
    task_id: UUID


class TaskAdded(Event):
    task_id: UUID
"""
AFTER_README = """
ID = UUID(int=1)
scenario = Scenario(DOMAIN.decisions).given(f"task-{ID}", TaskAdded(task_id=ID))
scenario.when(FinishTask(task_id=ID)).then(TaskFinished(task_id=ID))
scenario.when(FinishTask(task_id=ID)).then_rejected(containing="finished already")
"""


def run(code: str, **environment: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def python_in(name: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.S))


def test_the_code_in_the_readme_runs() -> None:
    run(BEFORE_README + python_in("../README.md") + AFTER_README)


def test_the_code_about_the_log_runs() -> None:
    run(PRELUDE + python_in("log.md") + AFTER)


async def test_the_application_of_eventsourcing_runs(fresh_database: FreshDatabase) -> None:
    environment = {"PERSISTENCE_MODULE": "streams.integrations.eventsourcing_recorder", "CAUDAL_CONTEXT": "kin.accounts"}
    again = f"\nwith Bank({environment}) as bank:\n"

    run(
        python_in("eventsourcing.md") + again + "    assert bank.repository.get(account_id).owner == 'Ada'\n",
        CAUDAL_WRITE_DSN=await fresh_database.empty(),
    )
