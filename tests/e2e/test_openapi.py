"""Both OpenAPI documents, checked against the running APIs: no generated request may get a server error."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from streams.discovery import installed_catalog
from tests.stack import RunningStack, running_stack

SECONDS = 20
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
async def own_stack() -> AsyncIterator[RunningStack]:
    """A stack for this module alone: the generated requests leave data behind."""
    async with running_stack() as running:
        yield running


@pytest.mark.timeout(240)
@pytest.mark.parametrize("api", ["command_api", "query_api"])
async def test_no_request_that_a_document_allows_is_our_fault(own_stack: RunningStack, api: str, tmp_path: Path) -> None:
    stack, report = own_stack, tmp_path / "report.ndjson"
    token = stack.token(*sorted(installed_catalog().roles()), name="01940000-0000-7000-8000-0000000000f1")
    document = (await {"command_api": stack.commands, "query_api": stack.queries}[api].get("/openapi.json")).json()
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("st")), "run", f"{stack.endpoints[api]}/openapi.json", "--checks", CHECKS),
        *("--header", f"Authorization: {token['Authorization']}", "--phases", "coverage,fuzzing", "--max-time", str(SECONDS)),
        *("--continue-on-failure", "--request-timeout", "20", "--warnings", "off", "--seed", "1"),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
        # A live view never ends, and is announced as a stream of events.
        *(("--exclude-path-regex", "/live$") if api == "query_api" else ()),
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()[-6000:]
    operations = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert tried(report) == {operation for operation in operations if not operation.endswith("/live")}


def tried(report: Path) -> set[str]:
    """The operations to which requests were made."""
    events = map(orjson.loads, report.read_bytes().splitlines())
    recorders = [event["ScenarioFinished"]["recorder"] for event in events if "ScenarioFinished" in event]
    return {recorder["label"] for recorder in recorders if recorder.get("interactions")}


async def test_both_documents_say_who_may_do_what(own_stack: RunningStack) -> None:
    stack = own_stack
    commands = (await stack.commands.get("/openapi.json")).json()
    queries = (await stack.queries.get("/openapi.json")).json()

    assert commands["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert commands["paths"]["/results"]["post"]["security"] == [{"token": ["clinician"]}]
    assert "security" not in commands["paths"]["/ingest"]["post"]
    assert "/commands/clinical_lab/record-login" not in commands["paths"]
    assert queries["paths"]["/results/{result_id}"]["get"]["security"] == [{"token": ["clinician", "patient"]}]
    assert queries["paths"]["/audit/clinical_lab/results/events"]["get"]["security"] == [{"token": ["auditor"]}]
    assert "/views/clinical_lab/results" not in queries["paths"]
    of_contracts = {one["name"]: one["schema"] for one in queries["paths"]["/contratos"]["get"]["parameters"] if "name" in one}
    assert "active" in of_contracts["status"]["enum"]
    names = [parameter["name"] for parameter in queries["paths"]["/results"]["get"]["parameters"]]
    assert "number" in names
    assert "result" not in names
