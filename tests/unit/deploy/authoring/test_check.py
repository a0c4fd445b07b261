"""`caudal check`: an author's mistakes, all at once and before anything is started."""

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from aggregates.decision import Decision
from aggregates.stream import Stream
from aggregates.system import Domain
from command_api.http.paths import AcceptedCommandPath
from deploy.authoring.check import attempt, check
from deploy.schemas.shapes import shape_of
from schemas.message import Command, Event
from schemas.system import Context, System
from schemas.view import View
from streams.discovery import GROUP
from streams.settings import Settings


class AddTask(Command, name="add-task"):
    title: str


class Tasks(View, name="tasks", context="tasks", key="task_id"):
    task_id: str


class Prices(View, name="prices", context="tasks", key="price_id"):
    price_id: str
    price: Decimal = Decimal(0)


class TaskAdded(Event):
    task_id: str


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Installs a system of one module beside the engine's own, and no other."""

    def install(system: System, domain: Domain, **declared: object) -> None:
        module = ModuleType("todo_in_one_module")
        spec = ModuleSpec(module.__name__, None, origin=str(tmp_path / "todo_in_one_module.py"))
        vars(module).update(SYSTEM=system, DOMAIN=domain, PROJECTIONS=(), __spec__=spec, **declared)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        point = EntryPoint(system.name, f"{module.__name__}:SYSTEM", GROUP)
        monkeypatch.setattr("streams.discovery.entry_points", lambda group: [point] if group == GROUP else [])

    return install


async def test_the_systems_of_this_tree_fit_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert await check(Settings()) == 0
    assert "everything fits together" in capsys.readouterr().out


async def test_every_mistake_is_named(install: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    install(System("todo", (Context("tasks", commands=(AddTask,)),), views=(Tasks, Prices)), Domain(()))

    code = await check(Settings())

    said = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert said.count("a view cannot store") == 1, "the processes find it too, without its place"
    assert "the view todo.prices cannot be stored: a view cannot store" in said
    assert "no projection fills the view todo.tasks: add one to its PROJECTIONS" in said
    assert said.count("no decision is declared for the command 'add-task' of todo.tasks") == 1


async def test_a_path_whose_command_may_be_rejected_without_an_event_is_named(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    decision = Decision(AddTask, Stream("task").change("title"), lambda _, __: [])
    context = Context("tasks", commands=(AddTask,))
    install(System("todo", (context,)), Domain((decision,)), PATHS=(AcceptedCommandPath("/tasks", AddTask),))

    assert await check(Settings(systems=["todo"])) == 1

    said = " ".join(capsys.readouterr().out.split())
    assert said.count("the path /tasks of todo only accepts AddTask") == 1
    assert "its decision rejects it without an event: use create_or_change or at" in said


@pytest.mark.parametrize(
    ("recorded", "why"),
    [
        (None, "TaskAdded of todo.tasks, schema version 1, is not recorded: run `caudal schemas record`"),
        (
            {"type": "object", "properties": {}},
            "TaskAdded of todo.tasks does not accept its recorded schema version 1: .task_id",
        ),
        ({**shape_of(TaskAdded), "properties": {"task_id": {"type": "string", "x-other": 1}}}, "x-other cannot be compared"),
    ],
)
async def test_an_event_that_cannot_be_read_any_more_is_named(
    install: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    recorded: dict[str, Any] | None,
    why: str,
) -> None:
    install(System("todo", (Context("tasks", events=(TaskAdded,)),)), Domain(()))
    if recorded is not None:
        (tmp_path / "shapes").mkdir()
        (tmp_path / "shapes" / "tasks.TaskAdded.v1.json").write_text(json.dumps(recorded))

    assert await check(Settings(systems=["todo"])) == 1

    assert why in " ".join(capsys.readouterr().out.split())


def test_a_fault_of_an_authors_code_is_named_with_its_place() -> None:
    result, problem = attempt(lambda: dict[str, int]()["oops"])

    assert result is None
    assert problem.startswith(f"{__file__}:")
    assert problem.endswith("KeyError: 'oops'")
