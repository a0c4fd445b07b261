"""The operations API: operators see and do over HTTP what they do on the command line, and what they do is recorded."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar

import httpx
import orjson
import pytest

from schemas.system import ContextName
from tests.conftest import eventually
from tests.stack import ONE_SYSTEM, RunningStack, running_stack
from tests.verify import verify

RECORDS = "data_ingestion.records"
OPERATIONS = ContextName("engine", "operations")
Headers = Mapping[str, str]


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[RunningStack]:
    async with running_stack(environment=ONE_SYSTEM) as running:
        yield running
        for client in Api.clients:
            await client.aclose()


class Api:
    """The operations API, called by somebody with some roles."""

    clients: ClassVar[list[httpx.AsyncClient]] = []

    def __init__(self, stack: RunningStack, *roles: str, name: str = "ana") -> None:
        self.url: str = stack.endpoints["operations"]
        headers = stack.token(*roles, name=name) if roles else {}
        self.client = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, verify=False)
        self.clients.append(self.client)

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        return await self.client.get(f"/api/{path}", params=parameters)

    async def post(self, path: str, *, apply: bool = False, reason: str = "", **parameters: Any) -> httpx.Response:
        body = {"parameters": parameters, "reason": reason, "apply": apply}
        return await self.client.post(f"/api/{path}", json=body)

    async def rows(self, path: str, **parameters: Any) -> Sequence[Mapping[str, Any]]:
        answer = await self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return list(found["rows"] if isinstance(found, dict) else found)


async def test_a_pause_is_tried_done_and_recorded(stack: RunningStack) -> None:
    api = Api(stack, "operator")

    async def state() -> str:
        return str({one["name"]: one["state"] for one in await api.rows("subscriptions/list")}[RECORDS])

    tried = await api.post("subscriptions/pause", subscription=RECORDS)
    assert (tried.status_code, tried.json()["state"], await state()) == (200, "planned", "active")
    assert tried.json()["lines"] == [{"text": f"The projection {RECORDS} will be paused.", "style": "plain"}]

    done = await api.post("subscriptions/pause", apply=True, reason="to look at it", subscription=RECORDS)
    run = done.json()
    assert (done.status_code, run["state"], await state()) == (200, "done", "paused")
    assert (await api.client.get(done.headers["location"])).json() == run
    assert (await api.post("subscriptions/resume", apply=True, subscription=RECORDS)).json()["after"] == {"state": "active"}

    async def recorded() -> bool:
        found = {one["run_id"]: one for one in await api.rows("operations/list")}
        return found.get(run["id"], {}).get("outcome") == "done"

    await eventually(recorded, 10, "the record of the pause")
    (row,) = [one for one in await api.rows("operations/list", actor="ana") if one["run_id"] == run["id"]]
    assert (row["operation"], row["actor"], row["reason"]) == ("subscriptions/pause", "ana", "to look at it")
    assert (row["before"], row["after"]) == ({"state": "active"}, {"state": "paused"})
    events = [event for event in (await verify(stack))[OPERATIONS] if event.stream == f"operation-{run['id']}"]
    assert [event.type for event in events] == ["OperationBegan", "OperationEnded"]


async def test_nothing_is_seen_or_done_without_the_role_for_it(stack: RunningStack) -> None:
    nobody, clinician, operator, auditor = Api(stack), Api(stack, "clinician"), Api(stack, "operator"), Api(stack, "auditor")

    for api, status in ((nobody, 401), (clinician, 403)):
        assert (await api.get("status")).status_code == status
        assert (await api.post("subscriptions/pause", apply=True, subscription=RECORDS)).status_code == status
        assert (await api.get("runs/1")).status_code == status
    assert (await auditor.post("subscriptions/pause", apply=True, subscription=RECORDS)).status_code == 403
    assert (await operator.get("dead-letters/show", name="x")).status_code == 403, "it has the body of an event"
    assert (await auditor.get("dead-letters/show", name="x")).status_code == 404
    assert (await operator.post("subjects/erase", subject="ana")).status_code == 403
    assert (await Api(stack, "privacy_officer").post("subjects/erase", subject="ana")).status_code == 200


@pytest.mark.parametrize(
    ("path", "parameters", "status", "detail"),
    [
        ("subscriptions/pause", {"subscription": "todo.tasks"}, 404, "there is no subscription 'todo.tasks'"),
        ("subscriptions/pause", {"subscription": 3}, 422, "not valid"),
        ("subscriptions/pause", {}, 422, "not valid"),
        ("subscriptions/reset", {"subscription": RECORDS, "to": "tomorrow"}, 422, "cannot be 'tomorrow'"),
        ("subscriptions/reset", {"subscription": RECORDS, "to": "100000"}, 422, "beyond the end"),
        ("dead-letters/skip", {}, 422, "say which dead letters"),
        ("projections/rollback", {"view": RECORDS}, 422, "no previous version"),
        ("relay/backfill", {"context": "engine.sagas"}, 422, "no events"),
        ("sagas/retry", {"saga_id": "zzz"}, 404, "no saga 'zzz'"),
        ("recover", {"context": "todo.tasks"}, 404, "todo.tasks"),
        ("verify", {"parts": ["everything"]}, 422, "not valid"),
    ],
)
async def test_an_operation_that_is_not_possible_is_a_problem(
    stack: RunningStack, path: str, parameters: Mapping[str, Any], status: int, detail: str
) -> None:
    answer = await Api(stack, "operator").post(path, apply=True, **parameters)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"parameters": {}, "applied": true}', 422), (b'{"reason": "\\ud800"}', 422)],
)
async def test_a_body_that_is_no_order_is_a_problem(stack: RunningStack, body: bytes, status: int) -> None:
    client = Api(stack, "operator").client

    answer = await client.post("/api/subscriptions/pause", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status, answer.text


async def test_a_verification_is_followed_while_it_runs_and_has_its_reports(stack: RunningStack) -> None:
    api = Api(stack, "operator", "auditor")
    run = (await api.post("verify", apply=True, reason="before the audit")).json()

    async with api.client.stream("GET", f"/api/runs/{run['id']}/live") as live:
        changes = [line.removeprefix("data: ") async for line in live.aiter_lines() if line.startswith("data: ")]

    last = orjson.loads(changes[-1])
    assert (last["state"], last["problem"]) == ("done", None)
    assert last["lines"][-1]["text"].startswith("All is right")
    assert {report["part"] for report in last["answer"]} == {"log", "topic", "view"}
    assert (await api.get(f"runs/{run['id']}")).json()["after"]["wrong"] == []


async def test_a_view_is_rebuilt_beside_the_live_one(stack: RunningStack) -> None:
    api = Api(stack, "operator")
    for number in range(3):
        await stack.commands.post("/ingest", json={"partner_id": f"partner{number}", "payload": {"age": number}})
    await asyncio.sleep(1)

    answer = await api.post("projections/rebuild", apply=True, view=RECORDS)
    run = answer.json()
    while run["state"] == "running":
        await asyncio.sleep(0.2)
        run = (await api.client.get(answer.headers["location"])).json()

    assert (run["state"], run["after"]["rows_that_differ"]) == ("done", 0), run
    versions = {one["name"]: one for one in await api.rows("projections/list")}
    assert versions[RECORDS]["previous_differs"] == 0
    assert (await api.post("projections/discard", apply=True, view=RECORDS)).json()["state"] == "done"


async def test_a_stack_that_is_well_is_found_well_here_and_behind_a_url(stack: RunningStack) -> None:
    async def well() -> bool:  # a relay may still publish what other tests have recorded
        return (await stack.caudal("status"))[0] == 0

    await eventually(well)
    token = stack.token("operator")["Authorization"].removeprefix("Bearer ")

    for place in ((), ("--url", Api(stack).url, "--token", token)):
        code, out, err = await stack.caudal("doctor", *place)
        assert (code, err) == (0, ""), out
        assert out.endswith("Nothing is wrong with this installation.\n")
        assert "PostgreSQL 18" in out
    code, out, _ = await stack.caudal("doctor", "--json")
    assert {one["state"] for one in orjson.loads(out)["parts"]} == {"good"}


async def test_the_command_line_does_and_shows_the_same_behind_a_url(stack: RunningStack) -> None:
    token = stack.token("operator", "auditor", name="eva")["Authorization"].removeprefix("Bearer ")
    place = ("--url", Api(stack).url, "--token", token)

    async def remotely(*arguments: str) -> tuple[int, str, str]:
        return await stack.caudal(*arguments, *place)

    code, out, _ = await remotely("subscriptions", "pause", RECORDS)
    assert (code, out.splitlines()[-1]) == (0, "Nothing was changed. Add --apply to do this.")
    assert (await remotely("subscriptions", "pause", RECORDS, "--apply", "--reason", "tea"))[0] == 0
    listed = {one["name"]: one["state"] for one in orjson.loads((await remotely("subscriptions", "list", "--json"))[1])["rows"]}
    assert listed[RECORDS] == "paused"
    code, out, _ = await remotely("status")
    assert (code, f"{RECORDS} is paused" in out) == (1, True)
    assert (await remotely("subscriptions", "resume", RECORDS, "--apply"))[0] == 0
    code, out, _ = await remotely("verify")
    assert (code, out.splitlines()[-1][:12]) == (0, "All is right")

    for command in (("dead-letters", "list"), ("dead-letters", "records"), ("projections", "list"), ("sagas", "list", "--all")):
        there, here = await remotely(*command), await stack.caudal(*command)
        assert there[:2] == here[:2], command
    code, out, _ = await remotely("operations", "list", "--operation", "subscriptions/pause", "--actor", "eva")
    assert (code, "tea" in out) == (0, True)

    code, _, err = await remotely("sagas", "show", "zzz")
    assert (code, "there is no saga 'zzz'" in err) == (1, True)
    code, _, err = await stack.caudal("subscriptions", "list", "--url", "http://127.0.0.1:1")
    assert (code, "does not answer" in err) == (1, True)
    code, _, err = await stack.caudal("subscriptions", "list", "--url", stack.endpoints["query_api"], "--token", token)
    assert code == 1
