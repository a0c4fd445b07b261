"""The packages in docs/own_system.md, installed outside the tree, with no line changed in it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from uuid import UUID

import pytest

from tests.conftest import eventually
from tests.partners import partner
from tests.stack import RunningStack, caudal, running_stack

DOCUMENT = Path(__file__).parents[2] / "docs" / "own_system.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The document's files, and the metadata that installing its packages would leave."""
    for name, text in re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", DOCUMENT.read_text(), re.S):
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


def test_each_error_that_is_quoted_is_one_of_the_code() -> None:
    table = DOCUMENT.read_text().partition("## What goes wrong")[2].partition("## ")[0]
    quoted: list[str] = re.findall(r"\| `([^`]+)` \|$", table, re.M)
    code = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text()) for room in ("schemas", "aggregates", "streams", "command_api", "deploy")
        for path in (DOCUMENT.parents[1] / room).rglob("*.py")
    )  # fmt: skip

    assert len(quoted) >= 6
    assert [text for text in quoted if text.partition(": did you")[0] not in code] == []


def test_its_own_tests_pass(package: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(package)}

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_todo.py"],
        cwd=package, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "2 passed" in result.stdout, result.stdout + result.stderr


async def test_it_runs_beside_the_built_in_systems(package: Path) -> None:
    environment = {"PYTHONPATH": str(package)}
    async with running_stack(environment=environment) as stack:
        added = await stack.commands.post("/commands/todo/add-task", json={"title": "Read the docs"})
        assert added.status_code == 201, added.text
        task_id = added.json()["stream"].removeprefix("task-")
        token = {"Consistency-Token": added.headers["Consistency-Token"]}
        assert (await stack.queries.get("/views/todo/tasks?finished=false", headers=token)).json() == [
            {"task_id": task_id, "title": "Read the docs", "finished": False}
        ]
        own = await stack.commands.post("/todo", json={"title": "Write a system"})
        token = {"Consistency-Token": own.headers["Consistency-Token"]}
        shown = await stack.queries.get(f"/todo/{own.json()['task_id']}", headers=token)
        assert shown.json()["title"] == "Write a system"

        await stack.commands.post("/commands/todo/finish-task", json={"task_id": task_id})

        async def finished() -> bool:
            return bool((await stack.queries.get(f"/views/todo/tasks/{task_id}")).json()["finished"])

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
