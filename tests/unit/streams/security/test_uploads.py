"""Uploads: a few at a time, each within its limit."""

import asyncio

import pytest
from starlette.requests import Request

from schemas.errors import TooLarge
from streams.http.request_context import RequestContext
from streams.security.uploads import TURNS, Uploads


def request_of(client: str, *parts: bytes) -> Request:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "headers": [], "client": (client, 1), "path": "/"}
    RequestContext.open(scope)
    return Request(scope, receive)


async def test_a_file_is_received_whole_within_its_limit() -> None:
    uploads = Uploads(max_bytes=4)

    async with uploads.received(request_of("a", b"12", b"34")) as file:
        assert file == b"1234"
    with pytest.raises(TooLarge):
        async with uploads.received(request_of("a", b"12", b"345")):
            pass


async def test_only_a_few_files_are_in_memory_and_no_client_takes_all_turns() -> None:
    uploads, release = Uploads(max_bytes=4), asyncio.Event()
    received: list[str] = []

    async def upload(client: str) -> None:
        async with uploads.received(request_of(client, b"1")):
            received.append(client)
            await release.wait()

    async with asyncio.TaskGroup() as tasks:
        for client in ["a"] * 6 + ["b"] * 6:
            tasks.create_task(upload(client))
        await asyncio.sleep(0.05)
        assert sorted(received) == ["a", "a", "b", "b"]
        assert len(received) == TURNS
        release.set()
    assert len(received) == 12
