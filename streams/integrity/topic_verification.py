"""Verification of a topic: holds each of its partitions against the log that it publishes, record by record."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.catalog import Catalog, ContextName
from schemas.errors import Malformed, Unavailable
from streams.broker.cloudevents import BACKFILLED, decode_event, encode_event
from streams.broker.fetch_backoff import paced
from streams.broker.topics import Topics, records_up_to, stop_quietly
from streams.log.reading import partition_events
from streams.log.search import SearchableLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings

Kind = Literal["missing", "altered", "reordered", "extra"]
_MAX_FINDINGS = 1000


@dataclass(frozen=True, slots=True, order=True)
class TopicFinding:
    """Something that is wrong with a topic."""

    position: int
    partition: int
    kind: Kind


@dataclass(slots=True)
class VerifiedTopic:
    """What came of holding a topic against its log, as far as the log was relayed when it began."""

    topic: str
    relayed_up_to: int
    records: int = 0
    events: int = 0
    """Events that the topic has, each counted once."""
    repeated: int = 0
    """Records that bring an event again: harmless, for subscribers know their position."""
    backfilled: int = 0
    """Events that the topic has late, because they were filled in from the log."""
    foreign: int = 0
    """Records that are no events of Caudal's."""
    expired: int = 0
    """Events that are not looked for any more, because the topic's retention has removed its beginning."""
    findings: list[TopicFinding] = field(default_factory=list)
    found: int = 0
    """How many findings there are in all; the first thousand are kept."""

    def find(self, partition: int, position: int, kind: Kind) -> None:
        self.found += 1
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(TopicFinding(position, partition, kind))


class TopicVerification:
    """Holds the topic of one context's events against its log. Memory grows with what is wrong, not with the log."""

    def __init__(self, settings: Settings, catalog: Catalog, log: SearchableLog) -> None:
        self._settings, self._log = settings, log
        self._topic = Topics(settings, catalog).events(log.context)

    async def run(self, relayed_up_to: int, on_progress: Callable[[int, int], None]) -> VerifiedTopic:
        """Looks through every partition; ``relayed_up_to`` is the relay's cursor, calls ``on_progress`` with positions.

        Raises `Unavailable` where the log or the broker gets out of reach.
        """
        result = VerifiedTopic(self._topic, relayed_up_to)
        consumer = paced(
            AIOKafkaConsumer(bootstrap_servers=self._settings.brokers, enable_auto_commit=False, request_timeout_ms=10_000)
        )
        try:
            await consumer.start()
            is_there = self._topic in await consumer.topics()
            for partition in range(len((await self._log.head()).partitions)):
                # Asked for by its name, a missing topic would be made with the broker's defaults.
                begin, end = await self._bounds(consumer, partition) if is_there else (0, 0)
                if begin == end > 0:
                    result.expired += await self._log.count(partition, relayed_up_to)
                    continue
                comparison = _Comparison(self._log, partition, result, is_whole=begin == 0)
                if end > begin:
                    async for records in self._records(consumer, partition, end):
                        await comparison.take(records)
                        on_progress(result.events, relayed_up_to)
                await comparison.end()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"no broker shows the topic {self._topic}", repr(error)) from error
        finally:
            await stop_quietly(consumer)
        result.findings.sort()
        return result

    async def _bounds(self, consumer: AIOKafkaConsumer, partition: int) -> tuple[int, int]:
        """Offset of the first record that is still there, and the one that the next will have."""
        tp = TopicPartition(self._topic, partition)
        return (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]

    async def _records(self, consumer: AIOKafkaConsumer, partition: int, end: int) -> AsyncIterator[Sequence[Any]]:
        tp = TopicPartition(self._topic, partition)
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        async for records in records_up_to(consumer, tp, end):
            yield records


class _Comparison:
    """Walks along one partition of the log as the topic's records come."""

    def __init__(self, log: SearchableLog, partition: int, result: VerifiedTopic, *, is_whole: bool) -> None:
        """``is_whole`` says that retention has removed nothing from the topic's beginning."""
        self._log, self._partition, self._result, self._is_whole = log, partition, result, is_whole
        self._rows = self._from(0)
        self._next: StoredEvent | None = None
        """The log's row that no record has reached yet."""
        self._reached = 0
        """The highest position that a record has brought."""
        self._wrong: dict[int, Kind] = {}
        """What is wrong so far: a record that comes later may still put it right."""

    async def take(self, records: Sequence[Any]) -> None:
        again: list[tuple[StoredEvent, Any]] = []
        beyond: list[tuple[StoredEvent, Any]] = []
        for record in records:
            self._result.records += 1
            try:
                found = decode_event(record)
            except Malformed:
                self._result.foreign += 1
                continue
            if found.position > self._result.relayed_up_to:
                beyond.append((found, record))
            elif found.position <= self._reached:
                again.append((found, record))
            else:
                await self._first(found, record)
        if again:
            await self._again(again)
        if beyond:
            await self._beyond(beyond)

    async def end(self) -> None:
        """Whatever the log has and no record has brought is missing."""
        while await self._peek() is not None:
            self._step("missing")
        for position, kind in self._wrong.items():
            self._result.find(self._partition, position, kind)

    async def _first(self, found: StoredEvent, record: Any) -> None:
        """A record with a higher position than all before: what lies between is missing, unless it comes later."""
        if self._reached == 0 and not self._is_whole:
            self._result.expired += await self._log.count(self._partition, found.position - 1)
            self._rows = self._from(found.position - 1)
        row = await self._peek()
        if row is not None and row.position < found.position and not await self._is_ours(found.position):
            self._result.find(self._partition, found.position, "extra")
            return
        self._reached = found.position
        while row is not None and row.position < found.position:
            self._step("missing")
            row = await self._peek()
        if row is not None and row.position == found.position:
            self._result.events += 1
            self._step(None if _equal(row, self._log.context, record) else "altered")
        else:
            self._result.find(self._partition, found.position, "extra")

    async def _is_ours(self, position: int) -> bool:
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

    async def _again(self, repeats: Sequence[tuple[StoredEvent, Any]]) -> None:
        """Records at or below what was reached: repeats, or events that come too late."""
        stored = {row.position: row for row in await self._log.read_positions([found.position for found, _ in repeats])}
        for found, record in repeats:
            row, wrong = stored.get(found.position), self._wrong.get(found.position)
            if row is None or row.partition != self._partition:
                self._result.find(self._partition, found.position, "extra")
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

    async def _beyond(self, published: Sequence[tuple[StoredEvent, Any]]) -> None:
        """Records above the cursor: published since it was read, or no events of this log's."""
        stored = {row.position: row for row in await self._log.read_positions([found.position for found, _ in published])}
        for found, record in published:
            row = stored.get(found.position)
            if row is None or row.partition != self._partition:
                self._result.find(self._partition, found.position, "extra")
            elif not _equal(row, self._log.context, record):
                self._result.find(self._partition, found.position, "altered")


def _equal(row: StoredEvent, context: ContextName, record: Any) -> bool:
    expected = encode_event(row, context)
    headers = [header for header in record.headers if header != BACKFILLED]
    return (record.key, record.value, headers) == (expected.key, expected.value, expected.headers)


async def _one_by_one(chunks: AsyncIterator[Sequence[StoredEvent]]) -> AsyncIterator[StoredEvent]:
    async for rows in chunks:
        for row in rows:
            yield row
