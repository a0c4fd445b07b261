"""The fetch back-off: pauses after empty answers that come at once, and after no others."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.broker.fetch_backoff import with_fetch_backoff

EMPTY, FULL, FAILED = [(0, 0, 5, b"")], [(0, 0, 5, b"records")], [(0, 1, 5, b"")]


def answer(partitions: list[Any], api_key: int = 1) -> Any:
    return SimpleNamespace(API_KEY=api_key, topics=[("t", partitions)])


class Paused:
    """A consumer whose broker answers at once or after ``seconds``, and the pauses after its answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> None:
        self.pauses: list[float] = []
        self.response: Any = answer(EMPTY)
        sleep = asyncio.sleep

        async def send(_: int, __: Any) -> Any:
            await sleep(seconds)
            return self.response

        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)

        monkeypatch.setattr("streams.broker.fetch_backoff.asyncio.sleep", pause)
        self.client = with_fetch_backoff(SimpleNamespace(_client=SimpleNamespace(send=send)))._client

    async def send(self, response: Any, times: int = 1) -> None:
        self.response = response
        for _ in range(times):
            assert await self.client.send(1, "request") is response


async def test_each_empty_answer_doubles_the_pause_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Paused(monkeypatch)
    await consumer.send(answer(FULL))

    await consumer.send(answer(EMPTY), times=5)

    assert consumer.pauses == [0.001, 0.002, 0.004, 0.004, 0.004]


async def test_records_and_errors_reset_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Paused(monkeypatch)

    for found in (FULL, FAILED):
        await consumer.send(answer(EMPTY), times=2)
        await consumer.send(answer(found))

    assert consumer.pauses == [0.001, 0.002] * 2


async def test_a_fetch_that_the_broker_held_is_followed_by_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Paused(monkeypatch, seconds=0.06)

    await consumer.send(answer(EMPTY), times=2)

    assert consumer.pauses == []


async def test_other_requests_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Paused(monkeypatch)

    await consumer.send(answer(EMPTY, api_key=3))
    await consumer.send(None)

    assert consumer.pauses == []
