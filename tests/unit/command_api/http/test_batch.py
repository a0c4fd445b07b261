"""Batches: each line is answered by itself, in the order of the lines."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregates.decision import Decision, Events
from aggregates.stream import Stream
from aggregates.system import Domain
from command_api.handling.handler import CommandHandler
from command_api.http.batch import MEDIA_TYPE, BatchEndpoint
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.message import Command, Event
from schemas.system import Context, ContextName, System
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.log.memory import MemoryLog
from streams.settings import Settings


class AddTask(Command):
    title: str


class TaskAdded(Event):
    title: str


def add_task(command: CommandEnvelope[AddTask]) -> Events:
    if command.data.title == "nothing":
        raise Rejected("there is nothing to do")
    if command.data.title == "a slip":
        raise ZeroDivisionError
    yield TaskAdded(title=command.data.title)


NAME = ContextName("todo", "tasks")
CATALOG = Catalog.of([System("todo", (Context("tasks", (AddTask,), (TaskAdded,)),))])
DOMAIN = Domain((Decision(AddTask, Stream("task").create("title"), add_task),))


class Batches:
    """An API with one path for batches; it keeps how many commands were counted."""

    def __init__(self) -> None:
        self.log, self.counted = MemoryLog(NAME), list[int]()
        handler = CommandHandler(CATALOG, {"todo": DOMAIN}, {NAME: self.log})
        settings = Settings(max_command_batch_lines=4, max_body_bytes=200)
        endpoint = BatchEndpoint(settings, handler, CATALOG)

        async def count(commands: int) -> None:
            self.counted.append(commands)

        async def post(request: Request) -> Response:
            return await endpoint.answer(request, AddTask, count)

        app = Starlette(
            routes=[Route("/", post, methods=["POST"])],
            middleware=[Middleware(Observed)],
            exception_handlers=EXCEPTION_HANDLERS,
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    async def send(self, *lines: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = b"\n".join(line if isinstance(line, bytes) else orjson.dumps(line) for line in lines)
        return await self.client.post("/", content=body, headers={"Content-Type": MEDIA_TYPE, **named})

    async def answers(self, *lines: Any) -> list[Any]:
        response = await self.send(*lines)
        assert response.status_code == 200, response.text
        return [orjson.loads(line) for line in response.content.splitlines()]


@pytest.fixture
async def batches() -> AsyncIterator[Batches]:
    made = Batches()
    yield made
    await made.client.aclose()


def line(title: str, **more: Any) -> dict[str, Any]:
    return {"command": {"title": title}, **more}


async def test_each_line_is_answered_in_its_place(batches: Batches) -> None:
    answers = await batches.answers(line("a"), line("nothing"), b"", {"command": {"name": "b"}}, line("a slip"))

    assert [one["status"] for one in answers] == [201, 422, 422, 500]
    assert answers[0]["events"] == ["TaskAdded"]
    assert answers[1]["detail"] == "there is nothing to do"
    assert "ZeroDivisionError" not in answers[3]["detail"], "clients do not see faults of the code"
    assert batches.counted == [4]


async def test_a_fault_is_named_by_its_place_in_the_line(batches: Batches) -> None:
    (wrong, foreign, control) = await batches.answers(
        {"command": {"name": "b"}}, {**line("a"), "x": 1}, b'{"command": {"title": "\\u0000"}}'
    )

    assert sorted(error["pointer"] for error in wrong["errors"]) == ["/command/name", "/command/title"]
    assert [error["pointer"] for error in foreign["errors"]] == ["/x"]
    assert [error["pointer"] for error in control["errors"]] == ["/command/title"]


async def test_lines_with_one_key_are_one_command(batches: Batches) -> None:
    first, again, other = await batches.answers(
        line("a", idempotency_key="k"), line("a", idempotency_key="k"), line("b", idempotency_key="k")
    )

    assert (first["status"], first["repeated"], again["status"], again["repeated"]) == (201, False, 201, True)
    assert (other["status"], other["type"]) == (422, "urn:caudal:problem:key-reused")
    assert (await batches.log.head()).position == 1


async def test_expectations_belong_to_lines(batches: Batches) -> None:
    answers = await batches.answers(line("a", if_match="*"), line("b", if_none_match="*"))

    assert [one["status"] for one in answers] == [412, 201]


@pytest.mark.parametrize("header", ["if-match", "if-none-match", "idempotency-key", "x-command-id"])
async def test_headers_of_one_command_are_rejected(batches: Batches, header: str) -> None:
    response = await batches.send(line("a"), **{header: "*"})

    assert response.status_code == 400
    assert response.json()["detail"].startswith("a batch takes no header of one command: use ")
    assert response.json()["detail"].endswith(f"in the line in the place of {header}")


async def test_a_batch_and_its_lines_have_limits(batches: Batches) -> None:
    many = await batches.send(*[line("a")] * 5)
    assert (many.status_code, many.json()["detail"]) == (413, "a batch may have 4 lines at most")

    (long,) = await batches.answers(line("x" * 300))
    assert (long["status"], long["detail"]) == (413, "a command may have 200 bytes at most")
