"""The middleware: every answer has its headers, and a fault is a problem document."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from schemas.errors import NotFound
from streams.http.middleware import REQUESTS, Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.http.request_context import add_headers


async def fine(request: Request) -> Response:
    add_headers(request, [(b"x-more", b"yes")])
    return PlainTextResponse("fine")


async def cached(_: Request) -> Response:
    return PlainTextResponse("fine", headers={"Cache-Control": "max-age=60"})


async def missing(_: Request) -> Response:
    raise NotFound("there is no such thing")


async def broken(_: Request) -> Response:
    raise ZeroDivisionError("the secret is 7")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route(f"/{endpoint.__name__}", endpoint) for endpoint in (fine, cached, missing, broken)]
    app = Starlette(routes=routes, middleware=[Middleware(Observed)], exception_handlers=EXCEPTION_HANDLERS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/") as made:
        yield made


async def test_an_answer_has_the_correlation_id_and_security_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get("fine", headers={"X-Correlation-Id": "mine"})

    assert (answer.headers["x-correlation-id"], answer.headers["x-more"]) == ("mine", "yes")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert (await client.get("cached")).headers["cache-control"] == "max-age=60"


async def test_requests_are_counted_by_method_and_status(client: httpx.AsyncClient) -> None:
    counter = REQUESTS.labels("GET", 404)
    before = counter._value.get()

    await client.get("missing")

    assert counter._value.get() == before + 1


async def test_a_fault_is_answered_without_saying_what_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("broken", headers={"X-Correlation-Id": "mine"})

    problem = orjson.loads(answer.content)
    assert (answer.status_code, problem["status"], problem["correlation_id"]) == (500, 500, "mine")
    assert "secret" not in answer.text
