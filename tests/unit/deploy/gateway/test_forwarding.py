"""Forwarding: what an instance gets, what a client gets, and what happens when an instance is gone."""

import asyncio

import httpx
import pytest
from aiohttp import web

from deploy.local.ports import LOOPBACK, free_ports
from streams.http.problems import PROBLEM_TYPE
from tests.unit.deploy.gateway.apis import Api, frozen, gateway_of, kill, unavailable

DELIVERY = {"partner_id": "p", "payload": {}}


async def test_an_api_gets_the_request_as_it_was_sent_and_who_sent_it() -> None:
    api = Api()
    headers = {
        "Authorization": "Bearer x",
        "X-Forwarded-For": "1.2.3.4",
        "Connection": "x-mine",
        "X-Mine": "1",
        "TE": "trailers",
    }
    async with gateway_of([api]) as (client, _):
        client.headers = httpx.Headers([(b"X-Actor", "José".encode())])
        await client.get("http://gateway:8002//query/partner//a%2Fb?sort=-a&x=%20y", headers=headers)
        own_host = api.url.removeprefix("http://")

    ((method, path, got, body),) = api.requests
    assert (method, path, body) == ("GET", "/query/partner/a%2Fb?sort=-a&x=%20y", b"")
    assert got["Authorization"] == "Bearer x"
    assert got["X-Actor"].encode("utf-8", "surrogateescape").decode() == "José"
    assert got["X-Forwarded-For"] == "198.51.100.7"
    assert (got["X-Forwarded-Host"], got["X-Forwarded-Proto"]) == ("gateway:8002", "http")
    assert not [name for name in ("X-Mine", "TE") if name in got]
    assert got["Host"] == own_host


async def test_a_client_gets_the_answer_as_it_is() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        headers = [("Link", "<a>; rel=next"), ("Link", "<b>; rel=last"), ("X-Correlation-Id", "other"), ("ETag", '"7"')]
        return web.Response(body=b"\x00\xff", status=418, headers=headers, content_type="application/x-own")

    async with gateway_of([Api(answer)]) as (client, _):
        got = await client.get("/query/all", headers={"X-Correlation-Id": "mine"})

    assert (got.status_code, got.content, got.headers["content-type"]) == (418, b"\x00\xff", "application/x-own")
    assert got.headers.get_list("link") == ["<a>; rel=next", "<b>; rel=last"]
    assert got.headers.get_list("x-correlation-id") == ["mine"]
    assert got.headers.get_list("content-length") == ["2"]
    assert got.headers["etag"] == '"7"'


async def test_a_head_request_has_the_length_and_no_body() -> None:
    async with gateway_of([Api()]) as (client, _):
        got = await client.head("/query/all")

    assert int(got.headers["content-length"]) > 0
    assert got.content == b""


async def test_an_answer_without_an_end_is_passed_on_as_it_arrives() -> None:
    go_on = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await asyncio.wait_for(go_on.wait(), 5)
        await response.write(b"data: 2\n\n")
        return response

    async with gateway_of([Api(stream)]) as (_, app):
        parts: list[bytes] = []
        scope = {
            "type": "http", "method": "GET", "path": "/views/data_ingestion/records/live", "query_string": b"",
            "raw_path": b"/views/data_ingestion/records/live", "headers": [], "server": ("gateway", 8002),
            "client": ("198.51.100.7", 1), "scheme": "http",
        }  # fmt: skip

        async def receive() -> dict[str, object]:
            await asyncio.sleep(30)
            raise AssertionError("the client stays")

        async def send(message: dict[str, object]) -> None:
            if part := message.get("body"):
                assert isinstance(part, bytes)
                parts.append(part)
                go_on.set()

        await asyncio.wait_for(app(scope, receive, send), 10)  # type: ignore[arg-type]
        assert b"".join(parts) == b"data: 1\n\ndata: 2\n\n"
        assert len(parts) == 2
        assert [one.in_progress for one in app.upstreams["query"].instances] == [0]


async def test_requests_are_shared_among_the_instances() -> None:
    apis = Api(), Api()
    async with gateway_of(apis) as (client, _):
        answers = await asyncio.gather(*(client.get("/query/all") for _ in range(40)))

    assert {answer.status_code for answer in answers} == {200}
    assert min(len(api.requests) for api in apis) >= 15


@pytest.mark.parametrize("path", ["/ingest", "/commands/data_ingestion/receive-data"])
async def test_a_command_whose_instance_dies_is_sent_to_another_one_under_the_same_key(path: str) -> None:
    dying, living = Api(kill), Api()
    async with gateway_of([dying, living]) as (client, app):
        app.upstreams["command"].instances[1].take_out()  # so that the dying one is first
        got = await client.post(path, json=DELIVERY)

    assert got.status_code == 200
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in (*dying.requests, *living.requests)]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert keys[0].startswith("gateway-")


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Command-Id"])
async def test_a_clients_own_id_is_kept(header: str) -> None:
    api = Api()
    async with gateway_of([api]) as (client, _):
        await client.post("/ingest", json=DELIVERY, headers={header: "mine"})

    ((_, _, headers, _),) = api.requests
    assert headers[header] == "mine"
    assert sum(name in headers for name in ("Idempotency-Key", "X-Command-Id")) == 1


async def test_a_batch_is_not_sent_twice() -> None:
    dying, living = Api(kill), Api()
    async with gateway_of([dying, living]) as (client, app):
        app.upstreams["command"].instances[1].take_out()
        headers = {"Content-Type": "application/x-ndjson"}
        got = await client.post("/commands/data_ingestion/receive-data", content=b"{}\n", headers=headers)

    assert (got.status_code, got.json()["type"]) == (502, "urn:caudal:problem:bad-gateway")
    assert not living.requests
    assert "Idempotency-Key" not in dying.requests[0][2]


async def test_a_connection_that_failed_sent_nothing_and_anything_goes_to_another_instance() -> None:
    living = Api()
    nobody = f"http://{LOOPBACK}:{free_ports(1)[0]}"
    async with gateway_of([nobody, living]) as (client, app):
        app.upstreams["command"].instances[0].failing = None  # it has just died
        app.upstreams["command"].instances[1].take_out()
        headers = {"Content-Type": "application/x-ndjson"}
        got = await client.post("/commands/data_ingestion/receive-data", content=b"{}\n", headers=headers)

        assert got.status_code == 200
        assert not app.upstreams["command"].instances[0].is_usable


async def test_an_idle_connection_that_was_closed_is_replaced() -> None:
    answers = iter((True, False, True))

    async def sometimes(request: web.Request) -> web.StreamResponse:
        return web.Response() if next(answers) else await kill(request)

    api = Api(sometimes)
    async with gateway_of([api]) as (client, _):
        assert [(await client.post("/ingest", json=DELIVERY)).status_code for _ in range(2)] == [200, 200]
    assert len(api.requests) == 3


async def test_an_instance_that_is_not_available_is_passed_over() -> None:
    first, other = Api(unavailable), Api()
    async with gateway_of([first, other]) as (client, _):
        answers = [await client.post("/ingest", json=DELIVERY) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert first.requests


async def test_a_read_that_waits_for_the_clients_own_token_is_not_sent_to_every_instance() -> None:
    apis = Api(unavailable), Api(unavailable), Api(unavailable)
    async with gateway_of(apis) as (client, _):
        got = await client.get("/query/all", headers={"Consistency-Token": "data_ingestion.ingestion/0@99999999"})

    assert got.status_code == 503
    assert sum(len(api.requests) for api in apis) == 1


async def test_the_last_instance_answers_for_itself() -> None:
    async with gateway_of([Api(unavailable)]) as (client, _):
        got = await client.post("/ingest", json=DELIVERY)

    assert (got.status_code, got.json(), got.headers["retry-after"]) == (503, {"from": "unavailable"}, "1")


async def test_without_an_instance_in_reach_nothing_was_sent_and_the_answer_is_503() -> None:
    nobody = f"http://{LOOPBACK}:{free_ports(1)[0]}"
    async with gateway_of([nobody]) as (client, _):
        got = await client.post("/ingest", json=DELIVERY, headers={"Accept": PROBLEM_TYPE})

    assert (got.status_code, got.json()["type"]) == (503, "urn:caudal:problem:unavailable")
    assert got.headers["retry-after"] == "1"


async def test_instances_that_all_die_are_a_bad_gateway_in_the_words_of_the_path() -> None:
    async with gateway_of([Api(kill), Api(kill)]) as (client, _):
        got = await client.post("/ingest", json=DELIVERY)

    assert (got.status_code, list(got.json())) == (502, ["error"])


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever() -> None:
    api = Api(frozen)
    async with gateway_of([api, api], gateway_timeout_seconds=0.2) as (client, _):
        got = await client.post("/ingest", json=DELIVERY, headers={"Accept": PROBLEM_TYPE})

    assert (got.status_code, got.json()["type"]) == (504, "urn:caudal:problem:gateway-timeout")
    assert len(api.requests) == 1


async def test_a_body_that_is_too_large_reaches_no_api() -> None:
    api = Api()
    async with gateway_of([api], max_body_bytes=100) as (client, _):
        got = await client.post("/ingest", content=b"x" * 101)

    assert got.status_code == 413
    assert not api.requests


async def test_reads_wait_for_the_callers_recent_writes() -> None:
    async def write(_: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Consistency-Token": "data_ingestion.ingestion/2@9"})

    commands, queries = Api(write), Api()
    async with gateway_of([commands], [queries]) as (client, _):
        await client.get("/query/all")
        await client.post("/ingest", json=DELIVERY)
        await client.get("/query/all")
        await client.get("/query/all", headers={"Authorization": "Bearer other"})
        await client.get("/query/all", headers={"Consistency-Token": "mine"})

    tokens = [headers.get("Consistency-Token") for _, _, headers, _ in queries.requests]
    assert tokens == [None, "data_ingestion.ingestion/2@9", None, "mine"]
    assert queries.requests[1][2]["Prefer"] == "handling=lenient, wait=2"
