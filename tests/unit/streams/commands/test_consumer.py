"""The batches that a consumer of commands has in progress: each partition by itself."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from streams.commands import consumer as module
from streams.commands.consumer import BatchesInProgress

HEALTHY, BROKEN = TopicPartition("healthy", 0), TopicPartition("broken", 1)


def records(tp: TopicPartition, *offsets: int) -> Sequence[Any]:
    return [SimpleNamespace(topic=tp.topic, partition=tp.partition, offset=offset) for offset in offsets]


class Handling:
    """Handles what it gets; a topic may be stuck until it is released, or may raise."""

    def __init__(self) -> None:
        self.handled: list[tuple[str, int]] = []
        self.cancelled: list[str] = []
        self.released = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, found: Sequence[Any]) -> None:
        if self.error is not None:
            raise self.error
        if found[0].topic == BROKEN.topic:
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.cancelled.append(found[0].topic)
                raise
        self.handled += [(record.topic, record.offset) for record in found]


async def test_a_partition_that_is_stuck_holds_up_no_other() -> None:
    handling = Handling()
    batches = BatchesInProgress(handling)

    await batches.handle({HEALTHY: records(HEALTHY, 4, 5), BROKEN: records(BROKEN, 7)}, 0.02)
    assert (batches.done, batches.partitions) == ({HEALTHY: 6}, {BROKEN})
    await batches.handle({HEALTHY: records(HEALTHY, 6)}, 5)
    assert (batches.done, batches.partitions) == ({HEALTHY: 7}, {BROKEN})
    assert batches.waiting_for(0) == ["broken"]
    assert batches.waiting_for(60) == []

    handling.released.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await batches.handle({}, 5)
    assert (batches.done, batches.partitions) == ({HEALTHY: 7, BROKEN: 8}, set())
    assert handling.handled == [("healthy", 4), ("healthy", 5), ("healthy", 6), ("broken", 7)]


async def test_what_another_process_has_now_is_cancelled_and_not_committed() -> None:
    handling = Handling()
    batches = BatchesInProgress(handling)
    await batches.handle({HEALTHY: records(HEALTHY, 4), BROKEN: records(BROKEN, 7)}, 0.01)

    await batches.keep_only({HEALTHY})
    assert (handling.cancelled, batches.partitions, batches.done) == (["broken"], set(), {HEALTHY: 5})

    await batches.keep_only(())
    assert batches.done == {}


async def test_an_error_of_the_handling_is_raised() -> None:
    handling = Handling()
    handling.error = ZeroDivisionError("a slip")

    with pytest.raises(ZeroDivisionError):
        await BatchesInProgress(handling).handle({HEALTHY: records(HEALTHY, 1)}, 5)


async def test_a_batch_that_swallows_its_cancellation_holds_the_others_up_for_some_seconds_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_END_SECONDS", 0.02)
    goes_on, ended = asyncio.Event(), list[str]()

    async def swallow(found: Sequence[Any]) -> None:
        while not goes_on.is_set():
            with suppress(asyncio.CancelledError):
                await goes_on.wait()
        ended.append(found[0].topic)

    batches = BatchesInProgress(swallow)
    await batches.handle({BROKEN: records(BROKEN, 7)}, 0.01)

    async with asyncio.timeout(1):
        await batches.keep_only(())
    assert (batches.partitions, batches.done, ended) == (set(), {}, [])

    goes_on.set()
    await asyncio.sleep(0.01)
    assert (ended, batches.done) == (["broken"], {}), "what it has done is not committed"


async def test_a_batch_that_fails_while_it_is_cancelled_holds_nothing_up() -> None:
    async def fail(found: Sequence[Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError("a slip")

    batches = BatchesInProgress(fail)
    await batches.handle({BROKEN: records(BROKEN, 7)}, 0.01)

    await batches.keep_only(())

    assert batches.partitions == set()
