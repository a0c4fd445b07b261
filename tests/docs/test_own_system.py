"""The package in docs/own_system.md is that of `caudal new`, and runs outside the tree, with no line changed in it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from uuid import UUID

import pytest

from deploy.authoring.new import files
from tests.conftest import eventually
from tests.partners import partner
from tests.stack import RunningStack, caudal, running_stack

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = (DOCS / "own_system.md").read_text()
PACKAGE = files("todo", with_saga=True)
BLOCKS: list[tuple[str, str]] = re.findall(r"```python\n# (.*?)\n(.*?)```", DOCUMENT, re.S)
PRELUDE = """
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from aggregates.policy import Policy
from aggregates.scenario import reaction_of
from schemas.catalog import Catalog
from schemas.envelope import RecordedEvent
from schemas.message import Command, Event
from schemas.system import Context, ContextName, System
from schemas.upcasting import Upcaster
from todo.schemas import AddTask, TaskReopened
"""
AFTER = """
(command,) = reaction_of(FOLLOW_UP, TaskReopened(task_id=UUID(int=1)))
assert command.title.startswith("Find out why 0000")
catalog = Catalog.of([System("todo", (TASKS,))])
data = '{"task_id": "00000000-0000-0000-0000-000000000001", "title": "Buy milk"}'
assert catalog.read_event(ContextName("todo", "tasks"), "TaskAdded", 1, data).priority == 1
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package of `caudal new`, those in docs/systems, and the metadata that installing them would leave."""
    written, pages = dict(PACKAGE), "".join(page.read_text() for page in (DOCS / "systems").glob("*.md"))
    for name, text in re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", pages, re.S):
        written[name] = text
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for n, path in enumerate([tmp_path / "pyproject.toml", *tmp_path.glob("*/pyproject.toml")]):
        project = tomllib.loads(path.read_text())["project"]
        installed = tmp_path / f"own{n}-0.1.0.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: own{n}\nVersion: 0.1.0\n")
        groups = (
            f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
            for group, points in project["entry-points"].items()
        )
        (installed / "entry_points.txt").write_text("\n".join(groups))
    return tmp_path


def python(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(package)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=package, env=environment, capture_output=True, text=True, check=False
    )


def test_the_code_of_the_package_is_as_it_is_written() -> None:
    of_package = [(name, part.strip("\n")) for name, code in BLOCKS if name in PACKAGE for part in code.split("\n\n\n")]

    assert len(of_package) >= 10
    assert [part for name, part in of_package if part not in PACKAGE[name]] == []


def test_the_code_of_another_system_is_as_it_is_run() -> None:
    own: list[str] = re.findall(r"```python\n(?!# )(.*?)```", DOCUMENT, re.S)
    courier = (DOCS.parent / "tests" / "courier.py").read_text()

    assert len(own) == 1
    assert [part for part in own[0].split("\n\n\n") if part.strip("\n") not in courier] == []


def test_the_code_that_it_grows_into_runs(package: Path) -> None:
    code = [code for name, code in BLOCKS if name not in PACKAGE]

    result = python(package, "-c", "\n".join([PRELUDE, *code, AFTER]))

    assert len(code) == 2
    assert result.returncode == 0, result.stderr


def test_each_error_that_is_quoted_is_one_of_the_code() -> None:
    table = DOCUMENT.partition("## What goes wrong")[2]
    rows: list[str] = re.findall(r"^\| [^|]+ \| (`.*`) \|$", table, re.M)
    quoted = [text for row in rows for text in re.findall(r"`((?:[^`]|`caudal [^`]*`)+)`", row)]
    code = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text())
        for room in ("schemas", "aggregates", "streams", "command_api", "query_api", "deploy")
        for path in (DOCS.parent / room).rglob("*.py")
    )

    assert len(quoted) >= 15
    assert [text for text in quoted if text.partition(": did you")[0] not in code] == []


def test_its_own_tests_pass(package: Path) -> None:
    result = python(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")

    assert "7 passed" in result.stdout, result.stdout + result.stderr


async def test_it_runs_beside_the_built_in_systems(package: Path) -> None:
    environment = {"PYTHONPATH": str(package)}
    async with running_stack(environment=environment) as stack:
        added = await stack.commands.post("/commands/todo/add-task", json={"title": "Read the docs"})
        assert added.status_code == 201, added.text
        task_id = added.json()["stream"].removeprefix("task-")
        token = {"Consistency-Token": added.headers["Consistency-Token"]}
        assert (await stack.queries.get("/views/todo/tasks?is_finished=false", headers=token)).json() == [
            {"task_id": task_id, "title": "Read the docs", "is_finished": False}
        ]
        own = await stack.commands.post("/tasks", json={"title": "Write a system"})
        token = {"Consistency-Token": own.headers["Consistency-Token"]}
        shown = await stack.queries.get(f"/tasks/{own.json()['task_id']}", headers=token)
        assert shown.json()["title"] == "Write a system"

        await stack.commands.post("/commands/todo/finish-task", json={"task_id": task_id})

        async def finished() -> bool:
            return bool((await stack.queries.get(f"/views/todo/tasks/{task_id}")).json()["is_finished"])

        await eventually(finished)
        unknown = await stack.commands.post("/commands/todo/finish-task", json={"task_id": "0" * 32})
        assert (unknown.status_code, unknown.json()["detail"]) == (422, f"there is no task {UUID(int=0)}")
        await assert_a_partner_gets_the_product(stack)
        code, out, _ = await caudal("status", "--all", "--data-dir", str(stack.data_dir), environment=environment)
        assert (code, bool(re.search(r"^todo *\n  tasks +", out, re.M))) == (0, True), out


async def assert_a_partner_gets_the_product(stack: RunningStack) -> None:
    """A request for the package's own product leads to a contract that holds."""
    names = {"nombres": ["Evil Corp"]}
    await stack.commands.put("/compliance/sanciones", json=names, headers=stack.token("compliance_officer"))
    body = {**partner(), "producto": "SPONSORING", "terminos": {"events": 3}}
    saga = f"/sagas/{(await stack.commands.post('/partners', json=body)).json()['saga_id']}"

    async def completed() -> bool:
        found = (await stack.queries.get(saga, headers=stack.token("operator"))).json()
        return bool(found.get("label") == "COMPLETADA")

    await eventually(completed, 60, "the onboarding")
    contracts = (await stack.queries.get("/contratos", params={"product": "SPONSORING", "status": "active"})).json()
    assert [(one["terminos"], one["estado"]) for one in contracts] == [({"events": 3, "logo_on": "banner"}, "ACTIVO")]
    contract = {"partner_id": contracts[0]["partner_id"], "starts_on": "2030-01-01", "product": "SPONSORING", "terms": {}}
    missing = await stack.commands.post("/commands/partner_alliances/create-contract", json=contract)
    assert missing.json()["detail"] == "the terms do not fit SPONSORING: events: Field required"
