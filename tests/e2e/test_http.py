"""Both APIs' manners: answers, headers, and a clear error for every kind of bad input."""

import asyncio
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests.conftest import eventually
from tests.stack import RunningStack

GOOD = {"partner_id": "http", "payload": {"x": 1}}
JSON = {"Content-Type": "application/json"}


async def positions(stack: RunningStack) -> int:
    (row,) = await stack.fetch("select position from data_ingestion__ingestion.head")
    return int(row["position"])


async def test_a_command_is_answered_with_what_it_did(stack: RunningStack) -> None:
    answer = await stack.commands.post("/commands/data_ingestion/receive-data", json=GOOD)

    body = answer.json()
    assert answer.status_code == 201
    assert body["events"] == ["DataReceived", "DataIngested"]
    assert (body["version"], answer.headers["ETag"]) == (2, '"2"')
    assert answer.headers["Consistency-Token"].startswith("data_ingestion.ingestion/")
    assert answer.headers["X-Correlation-Id"]


async def test_a_repeat_gets_the_first_answer(stack: RunningStack) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first = await stack.commands.post("/ingest", json=GOOD, headers=headers)

    again = await stack.commands.post("/ingest", json=GOOD, headers=headers)
    other = await stack.commands.post("/ingest", json={**GOOD, "partner_id": "other"}, headers=headers)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert (other.status_code, other.json()["type"]) == (422, "urn:caudal:problem:key-reused")


async def test_repeats_at_the_same_time_are_one_command(stack: RunningStack) -> None:
    partner, headers = f"p-{uuid4()}", {"Idempotency-Key": str(uuid4())}
    body = {"partner_id": partner, "payload": {}}

    answers = await asyncio.gather(*(stack.commands.post("/ingest", json=body, headers=headers) for _ in range(10)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    (row,) = await stack.fetch(
        "select count(*) as n from data_ingestion__ingestion.events where data->>'partner_id' = $1", partner
    )
    assert row["n"] == 2


async def test_if_match_is_checked_against_the_stream(stack: RunningStack) -> None:
    url, partner = "/commands/data_ingestion/register-schema", f"p-{uuid4()}"
    first = await stack.commands.post(url, json={"partner_id": partner, "json_schema": {"minProperties": 1}})
    tag = first.headers["ETag"]

    second = await stack.commands.post(
        url, json={"partner_id": partner, "json_schema": {"minProperties": 2}}, headers={"If-Match": tag}
    )
    stale = await stack.commands.post(
        url, json={"partner_id": partner, "json_schema": {"minProperties": 3}}, headers={"If-Match": tag}
    )

    assert (first.status_code, second.status_code, second.headers["ETag"]) == (201, 200, '"2"')
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:caudal:problem:precondition-failed")


@pytest.mark.parametrize(
    ("body", "headers", "status", "pointer"),
    [
        (b"{", JSON, 400, ""),
        (b"", JSON, 400, ""),
        (b"[" * 5000, JSON, 400, ""),
        (b"[]", JSON, 422, ""),
        (b'{"partner_id": "a"}', JSON, 422, "/payload"),
        (b'{"partner_id": "a", "payload": {}, "x": 1}', JSON, 422, "/x"),
        (b'{"partner_id": 1, "payload": {}}', JSON, 422, "/partner_id"),
        (b'{"partner_id": "a", "payload": {"k": ["\\u0000"]}}', JSON, 422, "/payload/k/0"),
        (b'{"partner_id": "a", "payload": {"k": "\\ud83d"}}', JSON, 422, "/payload/k"),
        (b'{"partner_id": "a", "payload": {"k": 1e999}}', JSON, 422, "/payload/k"),
        (b'{"partner_id": "a", "payload": {"k": 99999999999999999999}}', JSON, 422, "/payload/k"),
        (b'{"partner_id": "a", "payload": {"k": ' + b"[" * 500 + b"]" * 500 + b"}}", JSON, 422, "/payload/k" + "/0" * 62),
        (b'{"partner_id": "a", "payload": {"k": "' + b"x" * 1_048_576 + b'"}}', JSON, 413, None),
        (b'{"partner_id": "a", "payload": {}}', {"Content-Type": "text/plain"}, 415, None),
        (b'{"partner_id": "a", "payload": {}}', {}, 415, None),
        (b'{"partner_id": "a", "payload": {}}', {**JSON, "Idempotency-Key": "x" * 300}, 400, None),
        (b'{"partner_id": "a", "payload": {}}', {**JSON, "If-Match": "nonsense"}, 400, None),
        (b'{"partner_id": "a", "payload": {}}', {**JSON, "If-Match": '"7"'}, 412, None),
    ],
)
async def test_bad_input_gets_a_problem_document_and_appends_nothing(
    stack: RunningStack, body: bytes, headers: dict[str, str], status: int, pointer: str | None
) -> None:
    before = await positions(stack)

    answer = await stack.commands.post("/ingest", content=body, headers=headers)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["correlation_id"] == answer.headers["X-Correlation-Id"]
    if pointer is not None:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert await positions(stack) == before


async def test_a_body_that_never_says_its_length_is_counted_as_it_arrives(stack: RunningStack) -> None:
    sent = 0

    async def endless() -> object:
        nonlocal sent
        while sent < 50 * 1024 * 1024:
            sent += 65536
            yield b"x" * 65536

    try:
        answer = await stack.commands.post("/ingest", content=endless(), headers=JSON)  # type: ignore[arg-type]
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server has hung up, as it may
    assert sent < 20 * 1024 * 1024


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/commands/data_ingestion/nothing", 404),
        ("POST", "/commands/nothing/receive-data", 404),
        ("POST", "/nowhere", 404),
        ("GET", "/ingest", 405),
    ],
)
async def test_unknown_places_get_problem_documents(stack: RunningStack, method: str, path: str, status: int) -> None:
    answer = await stack.commands.request(method, path, json=GOOD)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/views/data_ingestion/nothing", 404),
        ("/views/data_ingestion/records/not-a-uuid", 404),
        ("/views/data_ingestion/records?nothing=1", 422),
        ("/views/data_ingestion/records?changed_in=1", 422),
        ("/views/data_ingestion/records?payload=1", 422),
        ("/views/data_ingestion/records?received_at[gte]=yesterday", 422),
        ("/views/data_ingestion/records?schema_revision[lt]=99999999999999999999", 422),
        ("/views/data_ingestion/records?partner_id[like]=x", 422),
        ("/views/data_ingestion/records?partner_id=%00", 422),
        ("/views/data_ingestion/records?sort=nothing", 422),
        ("/views/data_ingestion/records?sort=payload", 422),
        ("/views/data_ingestion/records?limit=0", 422),
        ("/views/data_ingestion/records?limit=ten", 422),
        ("/views/data_ingestion/records?limit=99999999999", 422),
        ("/views/data_ingestion/records?after=nonsense", 422),
        ("/views/data_ingestion/records?after=W10", 422),
        ("/audit/data_ingestion/nothing/streams/x", 404),
        ("/audit/data_ingestion/ingestion/streams/%00", 422),
        ("/query/partner/%00", 422),
        ("/views/data_ingestion/records?limit=00000199999999", 422),
        ("/views/data_ingestion/records?after=W1siZGF0YV9pZCJdLDVd", 422),
        ("/views/data_ingestion/records?after=W1siZGF0YV9pZCJdLFtudWxsXV0", 422),
        ("/audit/data_ingestion/ingestion/streams/x?after=99999999999", 422),
        ("/audit/data_ingestion/ingestion/streams/x?foo=1", 422),
        ("/query/%00", 404),
        ("/views/data_ingestion/records/live?partner_id=x", 422),
        ("/nowhere", 404),
    ],
)
async def test_invalid_queries_get_problem_documents(stack: RunningStack, path: str, status: int) -> None:
    answer = await stack.queries.get(path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text


@pytest.mark.parametrize("token", ["nonsense", "a.b/1@x", "data_ingestion.ingestion/9@1"])
async def test_an_unknown_form_of_token_is_malformed(stack: RunningStack, token: str) -> None:
    answer = await stack.queries.get("/query/all", headers={"Consistency-Token": token})

    assert answer.status_code == 400


async def test_a_token_from_the_future_is_not_waited_for_for_ever(stack: RunningStack) -> None:
    answer = await stack.queries.get("/query/all", headers={"Consistency-Token": "data_ingestion.ingestion/0@999999999"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["type"] == "urn:caudal:problem:not-yet-seen"


async def test_pages_in_any_order_have_every_row_once(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    for n in range(23):
        answer = await stack.commands.post("/ingest", json={"partner_id": partner, "payload": {"n": n}})
    token = {"Consistency-Token": answer.headers["Consistency-Token"]}

    async def processed() -> bool:  # a row that changes between two pages may move from one to the other
        page = await stack.queries.get(f"/views/data_ingestion/records?partner_id={partner}&limit=100", headers=token)
        return [row["processing_status"] for row in page.json() if row["validation_status"] == "valid"] == ["processed"] * 23

    await eventually(processed, 30)
    for sort in ("received_at", "-received_at", "duplicate_of,-received_at", "-data_id", "schema_revision"):
        seen: list[str] = []
        url: str | None = f"/views/data_ingestion/records?partner_id={partner}&sort={sort}&limit=5"
        while url:
            page = await stack.queries.get(url, headers=token)
            assert page.status_code == 200, page.text
            seen += [row["data_id"] for row in page.json()]
            url = page.links["next"]["url"] if "next" in page.links else None
        assert len(seen) == len(set(seen)) == 23, sort


async def test_a_partner_may_be_called_anything(stack: RunningStack) -> None:
    partner = f"東京/a b?{uuid4()}"
    url: str | None = f"/query/partner/{quote(partner, safe='')}?limit=1"
    for n in range(3):
        answer = await stack.commands.post("/ingest", json={"partner_id": partner, "payload": {"n": n}})
        token = {"Consistency-Token": answer.headers["Consistency-Token"]}  # of the partition of this delivery
        assert (await stack.queries.get(str(url), headers=token)).status_code == 200
    seen = 0
    while url:
        page = await stack.queries.get(url)
        assert (page.status_code, len(page.json())) == (200, 1), page.text
        seen += 1
        url = page.links["next"]["url"] if "next" in page.links else None

    assert seen == 3


async def test_filters_compare(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    answer = await stack.commands.post("/ingest", json={"partner_id": partner, "payload": {}})
    token = {"Consistency-Token": answer.headers["Consistency-Token"]}

    async def count(**parameters: str) -> int:
        page = await stack.queries.get(
            "/views/data_ingestion/records", params={"partner_id": partner, **parameters}, headers=token
        )
        assert page.status_code == 200, page.text
        return len(page.json())

    assert await count(ingestion_status="ingested") == 1
    assert await count(ingestion_status="pending") == 0
    assert await count(**{"ingestion_status[in]": "pending,ingested"}) == 1
    assert await count(**{"received_at[gte]": "2026-01-01T00:00:00Z"}) == 1
    assert await count(**{"received_at[lt]": "2026-01-01T00:00:00+00:00"}) == 0
    assert await count(**{"duplicate_of[ne]": str(uuid4())}) == 1


async def test_views_and_logs_are_listed(stack: RunningStack) -> None:
    views = (await stack.queries.get("/views")).json()
    of_system = (await stack.queries.get("/views/data_ingestion")).json()
    logs = (await stack.queries.get("/audit/data_ingestion")).json()

    assert [one["view"] for one in of_system] == ["records"]
    assert of_system[0] in views
    assert (await stack.queries.get(of_system[0]["path"])).status_code == 200
    assert [one["context"] for one in logs] == ["ingestion", "validation", "processing"]
    assert (await stack.queries.get(logs[0]["path"])).status_code == 200
    assert {one["system"] for one in (await stack.queries.get("/audit")).json()} >= {"data_ingestion", "engine"}
    for path in ("/views/nothing", "/audit/nothing"):
        assert (await stack.queries.get(path)).status_code == 404
    assert (await stack.queries.get("/views?x=1")).status_code == 422


@pytest.mark.parametrize("api", ["commands", "queries"])
async def test_each_api_documents_itself_without_a_network(stack: RunningStack, api: str) -> None:
    client: httpx.AsyncClient = getattr(stack, api)

    document = (await client.get("/openapi.json")).json()
    page = await client.get("/docs")

    assert document["openapi"].startswith("3.1")
    assert any("data_ingestion" in path for path in document["paths"])
    assert page.status_code == 200
    assert "//" not in page.text.replace("<!doctype html>", "")
    for file in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert file in page.text
        assert (await client.get(f"/docs/files/{file}")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/livez", 200),
        ("GET", "/docs", 200),
        ("POST", "/results", 401),
        ("GET", "/results", 401),
        ("GET", "/nothing", 404),
    ],
)
async def test_every_answer_has_the_security_headers_for_browsers(
    stack: RunningStack, method: str, path: str, status: int
) -> None:
    client = stack.commands if method == "POST" else stack.queries

    answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_no_other_site_reaches_a_process_by_a_name_of_its_own(stack: RunningStack) -> None:
    async with httpx.AsyncClient() as client:
        for name in ("command-api", "query-api"):
            url = f"http://127.0.0.1:{stack.endpoints['ports'][name]}/openapi.json"
            answers = [await client.get(url, headers={"Host": host}) for host in ("evil.example", "localhost:80", "127.0.0.1")]
            assert [answer.status_code for answer in answers] == [421, 200, 200], name


@pytest.mark.parametrize("name", ["command-api", "query-api", "worker", "relay", "projectors"])
async def test_each_process_says_how_it_is(stack: RunningStack, name: str) -> None:
    base = f"http://127.0.0.1:{stack.endpoints['ports'][name]}"

    async with httpx.AsyncClient(verify=False) as client:
        assert (await client.get(f"{base}/livez")).json() == {"status": "alive"}
        assert (await client.get(f"{base}/readyz")).json() == {"status": "ready", "failing": {}}
        metrics = (await client.get(f"{base}/metrics")).text
        assert "caudal_" in metrics
        assert "_created" not in metrics, "a second series for each counter"
