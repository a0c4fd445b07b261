"""Control: pause, resume and reset, dead letters, and catching up from the log."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from schemas.errors import DeadLettersFull, Unavailable
from streams.log.memory import MemoryLog
from streams.subscriptions import control as module
from streams.subscriptions.checkpoints import ControlState
from streams.subscriptions.control import SubscriptionControl
from streams.subscriptions.subscriber import Batch
from tests.unit.streams.subscriptions.fakes import CONTEXT, FakeSubscriber, filled_log
from tests.unit.swallowing import is_never_lost


class FakeTopic:
    """Counts how often dead letters are published."""

    published = 0

    async def publish(self, _: Any) -> int:
        self.published += 1
        return 1


class Bench:
    """A control with fakes around it, and a log of ten events."""

    def __init__(self, log: MemoryLog) -> None:
        self.subscriber, self.topic, self.log = FakeSubscriber(), FakeTopic(), log
        topic: Any = self.topic
        partitions = [(CONTEXT, 0), (CONTEXT, 1)]
        self.control = SubscriptionControl(self.subscriber, {CONTEXT: log}, topic, lambda: partitions)

    async def run(self, seconds: float = 0.05) -> list[Any]:
        with capture_logs() as lines:
            task = asyncio.create_task(self.control.run())
            await asyncio.sleep(seconds)
            task.cancel()
        return [line["event"] for line in lines]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(module, "_INTERVAL_SECONDS", 0.005)
    return Bench(await filled_log(10))


async def test_a_subscriber_that_runs_is_left_alone(bench: Bench) -> None:
    assert await bench.run() == []
    assert (bench.subscriber.handled, bench.subscriber.retries, bench.topic.published) == ([], 0, 0)


async def test_a_paused_one_is_suspended_and_handles_what_it_missed_when_it_is_resumed(bench: Bench) -> None:
    bench.subscriber.state = ControlState(is_paused=True, open_dead_letters=1)
    assert await bench.run() == ["subscription paused"]
    assert bench.control.is_suspended
    assert (bench.subscriber.handled, bench.subscriber.retries) == ([], 0)

    bench.subscriber.state = ControlState()
    assert await bench.run() == ["subscription resumed"]
    assert not bench.control.is_suspended
    assert sorted(position for _, position in bench.subscriber.handled) == list(range(1, 11))


async def test_one_that_was_suspended_catches_up_at_once(bench: Bench) -> None:
    bench.control.suspend()

    await bench.run()

    assert not bench.control.is_suspended
    assert len(bench.subscriber.handled) == 10


async def test_the_last_events_are_handled_under_the_turn(bench: Bench) -> None:
    bench.control.suspend()
    async with bench.control.turn:
        await bench.run()
        assert bench.control.is_suspended, "the batch that is being handled comes first"

    await bench.run()
    assert not bench.control.is_suspended


async def test_one_that_was_reset_drops_its_partitions_and_starts_from_the_checkpoint(bench: Bench) -> None:
    await bench.run()
    bench.subscriber.state = ControlState(generation=1)

    await bench.run()

    assert bench.subscriber.invalidated == [0, 1]
    assert len(bench.subscriber.handled) == 10


async def test_dead_letters_are_tried_and_published(bench: Bench) -> None:
    bench.subscriber.state = ControlState(open_dead_letters=1, has_unpublished_dead_letters=True)

    await bench.run()

    assert bench.subscriber.retries > 1
    assert bench.topic.published > 1


async def test_one_that_cannot_catch_up_stays_suspended_and_an_operator_reads_why(bench: Bench) -> None:
    bench.control.suspend()
    bench.subscriber.fails_with = DeadLettersFull("too many")
    assert "subscription blocked" in await bench.run()
    assert bench.control.is_suspended

    bench.subscriber.fails_with = Unavailable("no database")
    assert "subscription blocked" not in await bench.run()
    assert bench.control.is_suspended


async def test_a_reset_during_a_pause_is_obeyed_when_it_ends(bench: Bench) -> None:
    await bench.run()
    bench.subscriber.state = ControlState(is_paused=True)
    await bench.run()
    bench.subscriber.state = ControlState(is_paused=True, generation=1)
    await bench.run()
    assert bench.subscriber.invalidated == []

    bench.subscriber.state = ControlState(generation=1)
    await bench.run()

    assert bench.subscriber.invalidated == [0, 1]
    assert not bench.control.is_suspended


async def test_a_pause_ends_a_catch_up(bench: Bench) -> None:
    class PausedAfterOne(FakeSubscriber):
        async def handle(self, batches: Sequence[Batch]) -> None:
            await super().handle(batches)
            self.state = ControlState(is_paused=True)

    log = await filled_log(10)
    bench = Bench(log)
    bench.subscriber = PausedAfterOne()
    topic: Any = bench.topic
    partitions = [(CONTEXT, 0), (CONTEXT, 1)]
    bench.control = SubscriptionControl(bench.subscriber, {CONTEXT: log}, topic, lambda: partitions)
    bench.control.suspend()

    said = await bench.run()

    assert bench.control.is_suspended
    assert "subscription resumed" not in said
    assert {partition for partition, _ in bench.subscriber.handled} == {0}, "the next partition is left"


async def test_a_fault_of_the_control_itself_ends_nothing(bench: Bench) -> None:
    async def broken() -> ControlState:
        raise ZeroDivisionError

    bench.subscriber.control_state = broken  # type: ignore[method-assign]

    said = await bench.run()

    assert set(said) == {"subscription control failed"}
    assert len(said) > 1


async def test_code_that_follows_other_events_than_the_version_that_migrated_last_handles_nothing(bench: Bench) -> None:
    newer = {CONTEXT: frozenset({"Added@1", "Removed@1"})}
    bench.subscriber.state = ControlState(followed=newer, open_dead_letters=1)

    assert await bench.run() == ["subscription paused"]
    assert (bench.control.is_suspended, bench.control.is_of_another_version) == (True, True)
    assert (bench.subscriber.handled, bench.subscriber.retries) == ([], 0)

    bench.subscriber.state = ControlState(followed=bench.subscriber.events)
    assert "subscription resumed" in await bench.run()
    assert (bench.control.is_suspended, bench.control.is_of_another_version) == (False, False)
    assert len(bench.subscriber.handled) == 10


async def test_another_schema_version_of_an_event_is_another_version(bench: Bench) -> None:
    bench.subscriber.state = ControlState(followed={CONTEXT: frozenset({"Added@2"})})

    await bench.run()

    assert bench.control.is_of_another_version


async def test_no_cancellation_is_lost_wherever_it_arrives(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await is_never_lost(bench.control.run, monkeypatch)
