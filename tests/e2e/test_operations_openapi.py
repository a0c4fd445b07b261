"""The operations API's OpenAPI document, checked against the running API by generated requests, which are applied."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.operations.declared import OPERATIONS, READINGS
from deploy.operations_api.openapi import describe
from tests.e2e.test_openapi import LIMITS, schemathesis, tried
from tests.stack import ONE_SYSTEM, RunningStack, running_stack
from tests.verify import verify

EVERY: tuple[Any, ...] = (*OPERATIONS.values(), *READINGS.values())
ROLES = sorted({role for one in EVERY for role in one.access.roles})


@pytest.fixture(scope="module")
async def own_stack() -> AsyncIterator[RunningStack]:
    """A stack for this module alone: the generated requests change it."""
    async with running_stack(environment={**LIMITS, **ONE_SYSTEM}) as running:
        for number in range(5):
            await running.commands.post("/ingest", json={"partner_id": f"partner{number}", "payload": {"age": number}})
        yield running


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("roles", "phases"),
    [(ROLES, "examples,fuzzing"), (ROLES, "coverage"), (["clinician"], "examples,fuzzing"), ([], "examples,fuzzing")],
    ids=["with every role", "at the edges", "with another role", "without a token"],
)
async def test_the_api_does_what_its_document_says(
    own_stack: RunningStack, roles: Sequence[str], phases: str, tmp_path: Path
) -> None:
    token = own_stack.token(*roles) if roles else {}

    status, out, report = await schemathesis(
        tmp_path,
        *(f"{own_stack.endpoints['operations']}/openapi.json", "--phases", phases, "--max-examples", "2"),
        *(part for name, value in token.items() for part in ("--header", f"{name}: {value}")),
    )

    assert status == 0, out[-20_000:]
    assert tried(report) == {f"{method.upper()} {path}" for path, by in describe()["paths"].items() for method in by}
    await verify(own_stack)
