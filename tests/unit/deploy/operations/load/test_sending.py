"""The sender of a load: it follows the limits that the API names, and ends only without progress of the whole load."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from deploy.operations.load.keyed_commands import KeyedCommand
from deploy.operations.load.outcome import Outcome
from deploy.operations.load.pace import Pace
from deploy.operations.load.record import Record
from deploy.operations.load.sending import Sender
from schemas.errors import Forbidden, Malformed, NotFound, Unavailable
from tests.unit.deploy.operations.load.fake_api import lines, problem, running_api


def command(number: int, text: str = "") -> KeyedCommand:
    record = Record(number, {"n": number}, None)
    return KeyedCommand(record, orjson.dumps({"command": {"n": number, "text": text}, "idempotency_key": f"k-{number}"}))


@dataclass
class Sent:
    """The result of a load, and what it said."""

    outcome: Outcome = field(default_factory=Outcome)
    said: list[str] = field(default_factory=list)


async def send(url: str, commands: Sequence[KeyedCommand], *, batch: int = 4, tasks: int = 1, give_up: float = 0.5) -> Sent:
    sent = Sent()
    async with aiohttp.ClientSession() as session:
        pace = Pace(sent.said.append, give_up)
        sender = Sender(session, url, iter(commands), sent.outcome, pace, batch=batch, say=sent.said.append)
        async with asyncio.TaskGroup() as group:
            for _ in range(tasks):
                group.create_task(sender.run(lambda: None))
    return sent


async def error_of(url: str, commands: Sequence[KeyedCommand], **more: Any) -> BaseException:
    with pytest.raises(ExceptionGroup) as raised:
        await send(url, commands, **more)
    return raised.value.exceptions[0]


TEN = [command(number) for number in range(1, 11)]


async def test_commands_are_sent_in_batches_and_repeats_are_counted_apart() -> None:
    async with running_api() as api:
        first = await send(api.url, TEN)
        second = await send(api.url, TEN, tasks=3)

    assert api.sizes[:3] == [4, 4, 2]
    assert str(first.outcome) == "10 accepted, 0 there already, 0 failed"
    assert str(second.outcome) == "0 accepted, 10 there already, 0 failed"


async def test_a_batch_that_is_too_large_is_halved_and_later_ones_are_smaller() -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return problem(413, "a batch of 10 never fits 3 in 60 s") if len(batch) > 3 else None

    async with running_api(answer) as api:
        sent = await send(api.url, TEN * 2, batch=10)

    assert str(sent.outcome) == "10 accepted, 10 there already, 0 failed"
    assert api.sizes == [10, 5, 3, 2, 5, 3, 2, 3, 3, 3, 1]
    assert sent.said[-1] == "sending 3 commands at a time from now on: a batch of 10 never fits 3 in 60 s"


async def test_a_command_that_is_too_large_alone_is_rejected_alone() -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return problem(413, "too large") if any(line["command"]["text"] for line in batch) else None

    async with running_api(answer) as api:
        sent = await send(api.url, [command(1), command(2, "long"), command(3)])

    assert (str(sent.outcome), len(api.accepted)) == ("2 accepted, 0 there already, 1 failed", 2)


async def test_a_connection_that_ends_before_the_batch_is_sent_makes_the_batch_smaller() -> None:
    """As an API that answers 413 by the first bytes of a body: the sender may see only that the connection ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        body = b"" if length > 100_000 else await reader.readexactly(length)
        results = b"".join(b'{"status": 201, "repeated": false}\n' for _ in body.splitlines())
        status = "200 OK" if body else "413 Too Large"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(results)}\r\nConnection: close\r\n\r\n".encode() + results)
        writer.transport.abort() if not body else writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/commands/todo/add-task"
        sent = await send(url, [command(number, "x" * 80_000) for number in range(40)], batch=40, give_up=20)

    assert str(sent.outcome) == "40 accepted, 0 there already, 0 failed"


async def test_the_pause_that_the_api_asks_for_is_kept_by_all_senders() -> None:
    times: list[float] = []

    async def answer(batch: list[Any]) -> web.Response | None:
        times.append(time.monotonic())
        return problem(429, "more than 3 requests in 1 s", {"Retry-After": "1"}) if len(times) == 1 else None

    async with running_api(answer) as api:
        sent = await send(api.url, [command(n) for n in range(40)], batch=1, tasks=2)

    assert sent.outcome.accepted == 40
    paused = [later - earlier for earlier, later in pairwise(times) if later - earlier > 0.5]
    assert len(paused) == 1
    assert 0.8 < paused[0] < 1.9


async def test_a_load_that_makes_progress_is_not_given_up_for_one_sender() -> None:
    served = time.monotonic()

    async def answer(batch: list[Any]) -> web.Response | None:
        nonlocal served
        if time.monotonic() - served < 0.25:
            return problem(429, "more than 1 request in 0.25 s")
        served = time.monotonic()
        return None

    began = time.monotonic()
    async with running_api(answer) as api:
        sent = await send(api.url, TEN, batch=1, tasks=4, give_up=1)

    assert sent.outcome.accepted == 10
    assert time.monotonic() - began > 2, "longer than a load may be without progress"


async def test_a_load_without_progress_is_given_up_with_the_reason() -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return problem(503, "PostgreSQL is out of reach", {"Retry-After": "0"})

    async with running_api(answer) as api:
        error = await error_of(api.url, TEN, tasks=2)

    assert isinstance(error, Unavailable)
    assert "PostgreSQL is out of reach" in error.detail
    assert "no command was accepted for" in error.detail


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "\uff11\uff12", "1e9", "9" * 400, ""])
async def test_a_pause_that_is_not_in_seconds_is_not_kept(asked: str) -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return problem(503, "later", {"Retry-After": asked}) if len(api.sizes) == 1 else None

    async with running_api(answer) as api:
        sent = await send(api.url, TEN)

    assert (sent.outcome.accepted, sent.said) == (10, ["retrying for 0.5 s at most: later"])


async def test_lines_that_may_succeed_later_are_sent_again() -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        if len(api.sizes) > 1:
            return None
        later = {"status": 503, "type": "urn:caudal:problem:unavailable", "detail": "later"}
        final = {"status": 422, "type": "urn:caudal:problem:rejected", "detail": "no"}
        return lines(api.accept(batch[0]), later, final, {**final, "status": 409, "type": "urn:caudal:problem:already-exists"})

    async with running_api(answer) as api:
        sent = await send(api.url, TEN[:4])

    assert str(sent.outcome) == "2 accepted, 0 there already, 2 failed"
    assert api.sizes == [4, 1]


async def test_one_command_that_makes_a_batch_fail_does_not_fail_the_others() -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return problem(400, "broken") if any(line["command"]["n"] == 2 for line in batch) else None

    async with running_api(answer) as api:
        sent = await send(api.url, TEN[:4])

    assert str(sent.outcome) == "3 accepted, 0 there already, 1 failed"


@pytest.mark.parametrize(
    ("response", "kind", "why"),
    [
        (lambda: problem(404, "there is no system 'x'; there are y, z"), NotFound, "there are y, z"),
        (lambda: web.Response(status=404, text="<html>\n"), NotFound, "HTTP 404 Not Found"),
        (lambda: web.Response(text="<html>\n"), NotFound, "does not answer like a command API"),
        (lambda: lines({"status": 201, "repeated": False}), NotFound, "does not answer like a command API"),
        (lambda: problem(403, "needs a role"), Forbidden, "needs a role: give a token with --token"),
    ],
)
async def test_another_address_than_a_command_api_ends_the_load(response: Any, kind: type[Exception], why: str) -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return response()  # type: ignore[no-any-return]

    async with running_api(answer) as api:
        error = await error_of(api.url, TEN)

    assert isinstance(error, kind)
    assert why in str(error)


async def test_what_is_no_url_ends_the_load_at_once() -> None:
    error = await error_of("http:///commands/todo/add-task", TEN)

    assert isinstance(error, Malformed)


async def test_a_proxy_that_is_not_ready_is_asked_again() -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return web.Response(status=502, text="<html>\n") if len(api.sizes) == 1 else None

    async with running_api(answer) as api:
        sent = await send(api.url, TEN)

    assert sent.outcome.accepted == 10
    assert "HTTP 502 Bad Gateway" in sent.said[0]
