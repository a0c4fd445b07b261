"""The partitions of a topic: one that accepts no events does not hold up the others, and nothing is published twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka.errors import KafkaTimeoutError, LeaderNotAvailableError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from schemas.catalog import Catalog
from schemas.envelope import Metadata
from schemas.expected_version import NO_STREAM
from schemas.system import ContextName
from streams.integration_topics.records import IntegrationRecords
from streams.log.memory import MemoryLog
from streams.log.partitioning import partition_of
from streams.log.reading import Append, Write
from streams.log.stored_events import EventData, StoredEvent
from streams.relay.partitions import Partitions
from streams.relay.topic_position import TopicPosition
from streams.settings import Settings
from tests.conftest import eventually

CONTEXT = ContextName("s", "c")
PARTITIONS = 3
BLOCKED = 1
SETTINGS = Settings(broker_timeout_seconds=0.3, relay_batch_events=10)


class FakeBatch:
    """Takes three records."""

    def __init__(self) -> None:
        self.positions: list[int] = []

    def append(self, *, headers: Sequence[tuple[str, bytes]], **_: Any) -> object:
        if len(self.positions) == 3:
            return None
        self.positions.append(int(dict(headers)["ce_position"]))
        return object()


class FakeTopic:
    """The positions that each partition holds. As a broker does, it accepts no batch of a producer behind a rejected one."""

    def __init__(self) -> None:
        self.held: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
        self.errors: dict[int, Exception] = {}
        """By position: the error of a batch that holds the event."""
        self.silent: dict[int, asyncio.Event] = {}
        """By partition: no batch is acknowledged before it is set."""
        self.producers: list[FakeProducer] = []

    @property
    def all(self) -> list[int]:
        return sorted(position for of_partition in self.held.values() for position in of_partition)


class FakeProducer:
    def __init__(self, topic: FakeTopic) -> None:
        self._topic = topic
        self._out_of_step: set[int] = set()
        topic.producers.append(self)

    def create_batch(self) -> FakeBatch:
        return FakeBatch()

    async def send_batch(self, batch: FakeBatch, _: str, *, partition: int) -> "asyncio.Task[Any]":
        return asyncio.create_task(self._send(batch, partition))

    async def _send(self, batch: FakeBatch, partition: int) -> Any:
        if partition in self._topic.silent:
            await self._topic.silent[partition].wait()
        assert partition not in self._out_of_step, "the broker would reject the batch: it has missed one before"
        held = self._topic.held[partition]
        if (error := next((self._topic.errors[at] for at in batch.positions if at in self._topic.errors), None)) is not None:
            self._out_of_step.add(partition)
            raise error
        held += batch.positions
        return SimpleNamespace(offset=len(held) - len(batch.positions))


class FakeConsumer:
    """Knows the end of each partition but those that have no leader."""

    def __init__(self) -> None:
        self.without_leader = {BLOCKED}

    async def end_offsets(self, tps: Sequence[Any]) -> dict[Any, int]:
        if any(tp.partition in self.without_leader for tp in tps):
            raise LeaderNotAvailableError
        return dict.fromkeys(tps, 0)


def stream_in(partition: int, number: int) -> str:
    names = (f"s{number}-{attempt}" for attempt in range(1000))
    return next(name for name in names if partition_of(name, PARTITIONS) == partition)


@pytest.fixture
async def log() -> MemoryLog:
    """Thirty events: position 1 in partition 0, 2 in 1, 3 in 2, 4 in 0 …"""
    made = MemoryLog(CONTEXT, PARTITIONS)
    for number in range(30):
        event = EventData(id=str(uuid4()), type="E", schema_version=1, data="{}")
        write = Write(stream_in(number % PARTITIONS, number), NO_STREAM, (event,))
        metadata = Metadata(command_id=UUID(int=number), correlation_id="c")
        await made.append([Append(UUID(int=number), b"", metadata, (write,))])
    return made


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> FakeTopic:
    made = FakeTopic()

    async def another(*_: object) -> FakeProducer:
        return FakeProducer(made)

    async def stop(*_: object) -> None:
        pass

    monkeypatch.setattr("streams.relay.partitions.started_producer", another)
    monkeypatch.setattr("streams.relay.partitions.stop_quietly", stop)
    return made


@pytest.fixture
async def partitions(log: Any, topic: FakeTopic) -> AsyncIterator[Partitions]:
    made = Partitions(SETTINGS, log, "t", TopicPosition(log, "t", 10), lambda _: ())
    begin(made, topic)
    yield made
    await made.stop()


def begin(partitions: Partitions, topic: FakeTopic, held: Sequence[int | None] = (0, 0, 0), consumer: Any = None) -> None:
    producer: Any = FakeProducer(topic)
    no_records = IntegrationRecords(CONTEXT, Catalog.of([]), (), SETTINGS.max_record_bytes)
    partitions.begin(producer, consumer, held, no_records)


async def published(partitions: Partitions, log: MemoryLog, after: int, up_to: int) -> int:
    """Publishes events ten at a time, as the relay does; returns the position that its cursor may have."""
    for start in range(after, up_to, 10):
        rows: Sequence[StoredEvent] = await log.read(start, min(10, up_to - start))
        await partitions.publish(rows)
    partitions.report()
    return partitions.reached(up_to)


async def test_every_event_is_published_once_and_in_order(partitions: Partitions, log: MemoryLog, topic: FakeTopic) -> None:
    assert await published(partitions, log, 0, 30) == 30

    assert topic.held == {number: list(range(number + 1, 31, 3)) for number in range(3)}
    assert (partitions.problem(), partitions.oldest_at()) == (None, None)


async def test_events_that_the_topic_holds_are_not_published_again(
    partitions: Partitions, log: MemoryLog, topic: FakeTopic
) -> None:
    begin(partitions, topic, held=(10, 5, 30))

    assert await published(partitions, log, 5, 30) == 30

    assert topic.all == [8, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25, 26, 28, 29]


async def test_a_partition_that_rejects_an_event_holds_up_no_other(
    partitions: Partitions, log: MemoryLog, topic: FakeTopic
) -> None:
    topic.errors[14] = MessageSizeTooLargeError()

    await published(partitions, log, 0, 30)

    async def is_at_the_event() -> bool:
        return topic.held[1] == [2, 5, 8, 11]

    await eventually(is_at_the_event)
    await asyncio.sleep(0.8)  # several attempts later
    assert topic.held == {0: list(range(1, 31, 3)), 1: [2, 5, 8, 11], 2: list(range(3, 31, 3))}
    assert partitions.reached(30) == 13
    problem = partitions.problem()
    assert problem is not None
    assert problem.startswith("partition 1 of t is not published from position 14 on: [Error 10] MessageSizeTooLarge")
    assert partitions.oldest_at() == (await log.read(13, 1))[0].recorded_at

    topic.errors.clear()

    async def is_published() -> bool:
        return partitions.reached(30) == 30

    await eventually(is_published)
    assert topic.held == {number: list(range(number + 1, 31, 3)) for number in range(3)}
    assert partitions.problem() is None


async def test_a_partition_that_was_blocked_is_published_with_the_others_again(
    partitions: Partitions, log: MemoryLog, topic: FakeTopic
) -> None:
    topic.errors[2] = MessageSizeTooLargeError()
    await published(partitions, log, 0, 10)
    topic.errors.clear()

    async def is_published() -> bool:
        return partitions.reached(10) == 10

    await eventually(is_published)
    assert await published(partitions, log, 10, 30) == 30

    assert topic.held == {number: list(range(number + 1, 31, 3)) for number in range(3)}


async def test_an_event_alone_in_its_round_that_is_rejected_blocks_its_partition_alone(
    partitions: Partitions, log: MemoryLog, topic: FakeTopic
) -> None:
    topic.errors[2] = MessageSizeTooLargeError()

    await partitions.publish(await log.read(1, 1))

    assert partitions.reached(2) == 1


async def test_a_late_acknowledgement_is_waited_for_and_nothing_is_sent_again(
    partitions: Partitions, log: MemoryLog, topic: FakeTopic
) -> None:
    topic.silent[BLOCKED] = asyncio.Event()

    assert await published(partitions, log, 0, 30) == 1
    problem = partitions.problem()
    assert problem is not None
    assert problem.endswith("position 2 on: the broker has not answered within 0.3 s")
    assert (topic.held[0], topic.held[1], topic.held[2]) == (list(range(1, 31, 3)), [], list(range(3, 31, 3)))
    topic.silent[BLOCKED].set()

    async def is_published() -> bool:
        return partitions.reached(30) == 30

    await eventually(is_published)
    assert topic.held[1] == list(range(2, 31, 3))


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError("t"), None])
async def test_a_fault_of_all_that_is_sent_is_the_brokers_and_does_not_hold_up_the_others_at_the_next_start(
    partitions: Partitions, log: MemoryLog, topic: FakeTopic, error: Exception | None
) -> None:
    if error is None:
        topic.silent[BLOCKED] = asyncio.Event()
    else:
        topic.errors[2] = error
    with pytest.raises((TopicAuthorizationFailedError, KafkaTimeoutError)):
        await partitions.publish(await log.read(1, 1))  # events of the others are behind it, more than are read at a time
    await partitions.stop()

    begin(partitions, topic)
    await published(partitions, log, 1, 30)

    assert (topic.held[0], topic.held[2]) == (list(range(4, 31, 3)), list(range(3, 31, 3)))
    assert partitions.reached(30) == 1


async def test_a_partition_without_a_leader_waits_until_it_has_one(
    partitions: Partitions, log: MemoryLog, topic: FakeTopic
) -> None:
    consumer = FakeConsumer()
    begin(partitions, topic, (0, None, 0), consumer)

    assert await published(partitions, log, 0, 30) == 1
    assert partitions.problem() == "partition 1 of t is not published from position 2 on: the broker does not answer for it"
    assert topic.held == {0: list(range(1, 31, 3)), 1: [], 2: list(range(3, 31, 3))}
    consumer.without_leader.clear()

    async def begins_anew() -> bool:
        try:
            partitions.report()
        except LeaderNotAvailableError:
            return True
        return False

    await eventually(begins_anew)


async def test_what_was_left_out_outlasts_a_crash(partitions: Partitions, log: MemoryLog, topic: FakeTopic) -> None:
    topic.errors[14] = MessageSizeTooLargeError()
    await published(partitions, log, 0, 30)

    async def is_at_the_event() -> bool:
        return topic.held[1] == [2, 5, 8, 11]

    await eventually(is_at_the_event)
    cursor = partitions.reached(30)
    await partitions.stop()
    topic.errors.clear()

    successor = Partitions(SETTINGS, log, "t", TopicPosition(log, "t", 10), lambda _: ())
    begin(successor, topic, held=[max(topic.held[number]) for number in range(3)])
    assert await published(successor, log, cursor, 30) == 30

    assert topic.held == {number: list(range(number + 1, 31, 3)) for number in range(3)}
    await successor.stop()
