"""Verification of a topic: compares each of its partitions with the log that it publishes, record by record."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.catalog import Catalog
from schemas.errors import Malformed, Unavailable
from schemas.system import ContextName
from streams.broker.clients import OUTAGES, new_consumer, records_up_to, start, stop_quietly
from streams.broker.cloudevents import BACKFILLED, TIMELINE, decode_event, encode_event, timeline_of
from streams.broker.security import rejection
from streams.broker.topic_names import Topics
from streams.integrity.compared_topic import ComparedTopic, Kind
from streams.log.reading import partition_events
from streams.log.search import SearchableLog
from streams.log.stored_events import StoredEvent
from streams.log.timelines import Timelines
from streams.settings import Settings


@dataclass(slots=True)
class VerifiedTopic(ComparedTopic):
    """The result of a comparison of a topic with its log, up to the relay's cursor at its beginning."""

    relayed_up_to: int = field(kw_only=True)
    events: int = 0
    """Events that the topic has, each counted once."""
    backfilled: int = 0
    """Events that a backfill published late."""
    lost: int = 0
    """Records of events that the log lost when it went back, as an operator has accepted."""
    foreign: int = 0
    """Records that are not events of this log."""


class TopicVerification:
    """Compares the topic of one context's events with its log. Memory grows with the findings, not with the log."""

    def __init__(self, settings: Settings, catalog: Catalog, log: SearchableLog) -> None:
        self._settings, self._log = settings, log
        self._topic = Topics(settings, catalog).events(log.context)
        self._may_expire = settings.events_retention_hours >= 0
        """Whether retention removes events; if not, a program has deleted those that the topic's beginning lacks."""

    async def run(self, relayed_up_to: int, on_progress: Callable[[int, int], None]) -> VerifiedTopic:
        """Compares every partition up to the relay's cursor; calls ``on_progress`` with events compared and to compare.

        Raises `Unavailable` if the log or the broker is or gets out of reach.
        """
        result, timelines = VerifiedTopic(self._topic, relayed_up_to=relayed_up_to), (await self._log.timelines()).accepted
        consumer = new_consumer(self._settings, "verify")
        try:
            await start(consumer)
            is_there = self._topic in await consumer.topics()
            for partition in range(len((await self._log.head()).partitions)):
                # A look-up by its name would create a missing topic with the broker's defaults.
                begin, end = await self._bounds(consumer, partition) if is_there else (0, 0)
                if begin == end > 0 and self._may_expire:
                    result.expired += await self._log.count(partition, relayed_up_to)
                    continue
                is_complete = begin == 0 or not self._may_expire
                comparison = _Comparison(self._log, partition, result, timelines, is_complete=is_complete)
                if end > begin:
                    async for records in self._records(consumer, partition, end):
                        await comparison.compare(records)
                        on_progress(result.events, relayed_up_to)
                await comparison.end()
        except (*OUTAGES, TimeoutError) as error:
            raise Unavailable(f"the topic {self._topic} cannot be read from the broker", rejection(error)) from error
        finally:
            await stop_quietly(consumer)
        result.findings.sort()
        return result

    async def _bounds(self, consumer: AIOKafkaConsumer, partition: int) -> tuple[int, int]:
        """Returns the offset of the first record that is still there, and that of the next one to come."""
        tp = TopicPartition(self._topic, partition)
        return (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]

    async def _records(self, consumer: AIOKafkaConsumer, partition: int, end: int) -> AsyncIterator[Sequence[Any]]:
        tp = TopicPartition(self._topic, partition)
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        async for records in records_up_to(consumer, tp, end):
            yield records


class _Comparison:
    """Walks through one partition of the log beside the topic's records.

    ::

        log     1   4   5   9        the pointer `_next` is at the first row that no record has reached
        topic   1   5   4   9        5 jumps over 4, which is missing until it comes: then it is reordered
    """

    def __init__(
        self, log: SearchableLog, partition: int, result: VerifiedTopic, timelines: Timelines, *, is_complete: bool
    ) -> None:
        """``is_complete`` means that retention has removed nothing from the topic's beginning."""
        self._timelines = timelines
        self._log, self._partition, self._result, self._is_complete = log, partition, result, is_complete
        self._rows = self._from(0)
        self._next: StoredEvent | None = None
        """The first row of the log that no record has reached yet."""
        self._reached = 0
        """The highest position of a record so far."""
        self._wrong: dict[int, Kind] = {}
        """Findings so far, by position: a later record may still resolve one."""

    async def compare(self, records: Sequence[Any]) -> None:
        """Compares the next records of the partition."""
        again: list[tuple[StoredEvent, Any]] = []
        beyond: list[tuple[StoredEvent, Any]] = []
        for record in records:
            self._result.records += 1
            try:
                found = decode_event(record)
                is_lost = self._timelines.is_lost(timeline_of(record), found.position)
            except Malformed:
                self._result.foreign += 1
                continue
            if is_lost:
                self._result.lost += 1
                continue
            if found.position > self._result.relayed_up_to:
                beyond.append((found, record))
            elif found.position <= self._reached:
                again.append((found, record))
            else:
                await self._compare_new(found, record)
        if again:
            await self._compare_repeated(again)
        if beyond:
            await self._compare_above_cursor(beyond)

    async def end(self) -> None:
        """Reports every event as missing that the log has and no record has brought."""
        for position, kind in self._wrong.items():
            self._result.add_finding(self._partition, position, kind)
        while (row := await self._peek()) is not None:
            self._result.add_finding(self._partition, row.position, "missing")
            self._step(None)

    async def _compare_new(self, found: StoredEvent, record: Any) -> None:
        """Compares a record with a higher position than all before: the events between are missing unless they come later."""
        if self._reached == 0 and not self._is_complete:
            self._result.expired += await self._log.count(self._partition, found.position - 1)
            self._rows = self._from(found.position - 1)
        row = await self._peek()
        if row is not None and row.position < found.position and not await self._belongs_here(found.position):
            self._result.add_finding(self._partition, found.position, "extra")
            return
        self._reached = found.position
        while row is not None and row.position < found.position:
            self._step("missing")
            row = await self._peek()
        if row is not None and row.position == found.position:
            self._result.events += 1
            self._step(None if _equal(row, self._log.context, record) else "altered")
        else:
            self._result.add_finding(self._partition, found.position, "extra")

    async def _belongs_here(self, position: int) -> bool:
        return [row.partition for row in await self._log.read_positions([position])] == [self._partition]

    def _from(self, after: int) -> AsyncIterator[StoredEvent]:
        return _one_by_one(partition_events(self._log, self._partition, after, self._result.relayed_up_to))

    async def _peek(self) -> StoredEvent | None:
        if self._next is None:
            self._next = await anext(self._rows, None)
        return self._next

    def _step(self, wrong: Kind | None) -> None:
        assert self._next is not None, "peeked before"
        if wrong is not None:
            self._wrong[self._next.position] = wrong
        self._next = None

    async def _compare_repeated(self, repeats: Sequence[tuple[StoredEvent, Any]]) -> None:
        """Compares records at or below the highest position so far: repeats, or events that come late."""
        stored = {row.position: row for row in await self._log.read_positions([found.position for found, _ in repeats])}
        for found, record in repeats:
            row, wrong = stored.get(found.position), self._wrong.get(found.position)
            if row is None or row.partition != self._partition:
                self._result.add_finding(self._partition, found.position, "extra")
            elif not _equal(row, self._log.context, record):
                self._wrong[found.position] = "altered"
            elif wrong is None:
                self._result.repeated += 1
            elif BACKFILLED in record.headers:
                self._result.backfilled += 1
                self._result.events += wrong == "missing"
                del self._wrong[found.position]
            elif wrong == "missing":
                self._result.events += 1
                self._wrong[found.position] = "reordered"

    async def _compare_above_cursor(self, published: Sequence[tuple[StoredEvent, Any]]) -> None:
        """Compares records above the cursor: published since it was read, or not events of this log."""
        stored = {row.position: row for row in await self._log.read_positions([found.position for found, _ in published])}
        for found, record in published:
            row = stored.get(found.position)
            if row is None or row.partition != self._partition:
                self._result.add_finding(self._partition, found.position, "extra")
            elif not _equal(row, self._log.context, record):
                self._result.add_finding(self._partition, found.position, "altered")


def _equal(row: StoredEvent, context: ContextName, record: Any) -> bool:
    expected = encode_event(row, context)
    headers = [header for header in record.headers if header != BACKFILLED and header[0] != TIMELINE]
    return (record.key, record.value, headers) == (expected.key, expected.value, expected.headers)


async def _one_by_one(chunks: AsyncIterator[Sequence[StoredEvent]]) -> AsyncIterator[StoredEvent]:
    async for rows in chunks:
        for row in rows:
            yield row
