"""Both OpenAPI documents, checked against the running APIs by generated requests: the APIs do what the documents say, no less.

The short form has few examples of each operation. `OPENAPI_EXAMPLES=100` makes it the long one.
"""

import asyncio
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from streams.discovery import installed_catalog
from streams.http.problems import PROBLEM_TYPE
from tests.own_package import installed
from tests.stack import RunningStack, running_stack

_log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "0"))
"""Requests that are made up for each operation in each phase; 0: the short form."""
LIMITS = {
    "CAUDAL_MAX_REQUESTS_IN_PROGRESS": "1000",
    "CAUDAL_MAX_CONSISTENCY_WAIT_SECONDS": "0.1",
    "CAUDAL_SIGN_IN_FAILURES": "0",
    "CAUDAL_SIGN_IN_FAILURES_PER_ADDRESS": "0",
}
"""The environment of a stack whose limits hide nothing."""
LIVE = r"^/(views|audit)/[^/]+/[^/]+(/events)?/live$"
"""Paths that are left out: their answers have no end."""


class Caller(NamedTuple):
    """Who sends the requests, and the phases of the short form."""

    name: str
    roles: Sequence[str] | None
    """``None``: there is no token."""
    phases: str
    accepts: str = PROBLEM_TYPE
    """The form of errors; any other is that of a system's clients, if it has one."""


ROLES = sorted(installed_catalog().roles())
CALLERS = (
    Caller("with every role", ROLES, "examples,fuzzing"),
    Caller("with every role, at the edges", ROLES, "coverage,stateful"),
    Caller("with one role", ["patient"], "examples,fuzzing"),
    Caller("without a token", None, "examples,fuzzing"),
    Caller("who knows no problem documents", ROLES, "examples,fuzzing", "*/*"),
)


@pytest.fixture(scope="module")
async def own_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """A stack for this module alone: the generated requests leave data behind. One of its systems only accepts a command."""
    packages = tmp_path_factory.mktemp("courier") / "packages"
    async with running_stack(environment={**LIMITS, **installed("courier", packages)}) as running:
        assert "courier" in running.endpoints["systems"]
        yield running


@pytest.mark.timeout(600 if EXAMPLES == 0 else 4 * 3600)
@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
@pytest.mark.parametrize("api", ["command_api", "query_api"])
async def test_an_api_does_what_its_document_says(own_stack: RunningStack, api: str, caller: Caller, tmp_path: Path) -> None:
    stack = own_stack
    document = (await {"command_api": stack.commands, "query_api": stack.queries}[api].get("/openapi.json")).json()
    token = {} if caller.roles is None else stack.token(*caller.roles, name="01940000-0000-7000-8000-0000000000f1")
    headers = {"Accept": caller.accepts, **token}
    phases = "examples,coverage,fuzzing,stateful" if EXAMPLES else caller.phases

    status, out, report = await schemathesis(
        tmp_path,
        *(f"{stack.endpoints[api]}/openapi.json", "--phases", phases, "--max-examples", str(EXAMPLES or 2)),
        *("--exclude-path-regex", LIVE),
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
    )

    _log.info("%s %s: %s", api, caller.name, " ".join(out[out.find("Test cases:") :].split()))
    assert status == 0, out[-20_000:]
    operations = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert tried(report) == {one for one in operations if not re.search(LIVE, one.partition(" ")[2])}


async def schemathesis(folder: Path, *arguments: str) -> tuple[int | None, str, Path]:
    """Returns the exit code of a run with every check, what it printed, and the file of its report."""
    report = folder / "report.ndjson"
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("st")), "--config-file", str(ROOT / "tests" / "openapi.toml"), "run", *arguments),
        *("--checks", "all", "--report", "ndjson", "--report-ndjson-path", str(report)),
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.openapi_hooks"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode(), report


def tried(report: Path) -> set[str]:
    """The operations to which requests were made."""
    with report.open("rb") as lines:
        events = [event["ScenarioFinished"]["recorder"] for event in map(orjson.loads, lines) if "ScenarioFinished" in event]
    return {recorder["label"] for recorder in events if recorder.get("interactions") and recorder["label"] != "Stateful tests"}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/ingest", "/commands/data_ingestion/receive-data", "/views/data_ingestion/records"])
async def test_another_method_is_rejected_with_those_that_are_allowed(own_stack: RunningStack, path: str, method: str) -> None:
    client, allowed = (own_stack.queries, {"GET", "HEAD"}) if path.startswith("/views") else (own_stack.commands, {"POST"})

    answer = await client.request(method, path)

    if method in allowed:
        assert (answer.status_code, answer.content) == (200, b"")
        return
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, allowed)
    assert answer.headers["content-type"] == "application/problem+json"
    assert method == "HEAD" or answer.json()["status"] == 405


PATHS = (
    "/%00",
    "/%",
    "/%ff",
    "/..%2f..",
    "/..//",
    "/views/a%00/b",
    "/views/data_ingestion/records/%00",
    "/query/partner/%00%ff",
)


@pytest.mark.parametrize("path", [*PATHS, "/query/" + "x" * 5000])
async def test_any_characters_of_a_path_are_answered(own_stack: RunningStack, path: str) -> None:
    answer = await own_stack.queries.get(path)

    assert answer.status_code in (400, 404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_has_a_name_twice_is_rejected_with_its_place(own_stack: RunningStack) -> None:
    body = b'{"partner_id": "acme", "payload": {"a": {"b": 1, "b": 2}}}'

    alone = await own_stack.commands.post("/ingest", content=body, headers={"Content-Type": "application/json"})
    batch = await own_stack.commands.post(
        "/ingest", content=b'{"command": ' + body + b"}", headers={"Content-Type": "application/x-ndjson"}
    )

    found = [{"pointer": "/payload/a", "detail": "has the name 'b' twice in one object"}]
    assert (alone.status_code, alone.json()["errors"]) == (422, found)
    assert orjson.loads(batch.content)["errors"] == [{**found[0], "pointer": "/command/payload/a"}]


async def test_both_documents_say_who_may_do_what(own_stack: RunningStack) -> None:
    stack = own_stack
    commands = (await stack.commands.get("/openapi.json")).json()
    queries = (await stack.queries.get("/openapi.json")).json()

    assert commands["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert commands["paths"]["/results"]["post"]["security"] == [{"token": []}]
    assert "security" not in commands["paths"]["/ingest"]["post"]
    assert "/commands/clinical_lab/record-login" not in commands["paths"]
    assert queries["paths"]["/results/{result_id}"]["get"]["security"] == [{"token": ["clinician", "patient"]}]
    audit = queries["paths"]["/audit/{system}/{context}/events"]["get"]
    assert {"token": ["auditor"]} in audit["security"]
    assert re.search(r"`auditor` may read .*clinical_lab\.results", audit["description"])
    assert "/views/clinical_lab/results" not in queries["paths"]
    of_contracts = {one["name"]: one["schema"] for one in queries["paths"]["/contratos"]["get"]["parameters"] if "name" in one}
    assert "active" in of_contracts["status"]["enum"]
    names = [parameter["name"] for parameter in queries["paths"]["/results"]["get"]["parameters"]]
    assert "number" in names
    assert "result" not in names
