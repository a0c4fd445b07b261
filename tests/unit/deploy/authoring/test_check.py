"""`caudal check`: an author's mistakes, all at once and before anything is started."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any

import pytest

from aggregates.system import Domain
from deploy.authoring.check import attempt, check
from schemas.catalog import Context, System
from schemas.message import Command
from schemas.view import View
from streams.settings import Settings


class AddTask(Command, name="add-task"):
    title: str


class Tasks(View, name="tasks", context="tasks", key="task_id"):
    task_id: str


class Prices(View, name="prices", context="tasks", key="price_id"):
    price_id: str
    price: Decimal = Decimal(0)


@dataclass(frozen=True)
class Point:
    """An entry point, as a package would register it."""

    name: str
    made: Callable[[], Any]

    def load(self) -> Any:
        return self.made()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[System, Domain], None]:
    """Installs a system beside the engine's own, and no other."""

    def install(system: System, domain: Domain) -> None:
        own = {"caudal.schemas": lambda: system, "caudal.aggregates": lambda: domain, "caudal.projectors": lambda: ()}

        def found(group: str) -> list[Any]:
            points = [point for point in entry_points(group=group) if point.name == "engine"]
            return [*points, *([Point(system.name, own[group])] if group in own else [])]

        monkeypatch.setattr("schemas.catalog.entry_points", found)

    return install


async def test_the_systems_of_this_tree_fit_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert await check(Settings()) == 0
    assert "everything fits together" in capsys.readouterr().out


async def test_every_mistake_is_named(install: Callable[[System, Domain], None], capsys: pytest.CaptureFixture[str]) -> None:
    install(System("todo", (Context("tasks", commands=(AddTask,)),), views=(Tasks, Prices)), Domain(()))

    code = await check(Settings())

    said = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert "the view todo.prices cannot be stored" in said
    assert "no projection fills the view todo.tasks: add one to its PROJECTIONS" in said
    assert said.count("no decision is declared for the command 'add-task' of todo.tasks") == 1


def test_a_fault_of_an_authors_code_is_named_with_its_place() -> None:
    result, problem = attempt(lambda: dict[str, int]()["oops"])

    assert result is None
    assert problem.startswith(f"{__file__}:")
    assert problem.endswith("KeyError: 'oops'")
