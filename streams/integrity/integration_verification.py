"""Verification of integration topics: each record that follows from a log's events is there, with the bytes that it must have.

Records may be repeated, and repeats have the same bytes. Those of other contexts on the same topic are passed
over. Memory grows with what is missing, not with the log.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import Malformed, Unavailable
from schemas.values.literals import read_integer
from streams.broker.clients import OUTAGES, new_consumer, records_up_to, start, stop_quietly
from streams.broker.security import rejection
from streams.integration_topics.avro import encode, schema_id
from streams.integration_topics.records import IntegrationRecord, IntegrationRecords
from streams.integrity.compared_topic import ComparedTopic
from streams.log.reading import partition_events
from streams.log.search import SearchableLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings

_REMEMBERED = 10_000
"""Records whose repeats are compared."""
_Key = tuple[int, bytes]
"""Position and name of a record."""


class IntegrationVerification:
    """Compares one integration topic with the log of one context."""

    def __init__(
        self, settings: Settings, log: SearchableLog, records: IntegrationRecords, schemas: Mapping[int, str], topic: str
    ) -> None:
        """``schemas`` are the registered ones by their ids: older records were written by older ones."""
        self._settings, self._log, self._records, self._schemas = settings, log, records, schemas
        self._topic = topic

    async def run(self, relayed_up_to: int) -> ComparedTopic:
        """Compares every partition up to the relay's cursor; raises `Unavailable`."""
        result, consumer = ComparedTopic(self._topic), new_consumer(self._settings, "verify")
        try:
            await start(consumer)
            is_there = self._topic in await consumer.topics()
            for partition in range(len((await self._log.head()).partitions)):
                tp = TopicPartition(self._topic, partition)
                # A look-up by its name would create a missing topic with the broker's defaults.
                begin = (await consumer.beginning_offsets([tp]))[tp] if is_there else 0
                end = (await consumer.end_offsets([tp]))[tp] if is_there else 0
                comparison = _Comparison(self._log, self._records, self._schemas, result, partition, relayed_up_to)
                has_expired = begin > 0 and self._settings.events_retention_hours >= 0
                if end > begin:
                    async for found in _records(consumer, tp, end, self._records.source):
                        if has_expired and found:
                            await comparison.skip(found[0])
                            has_expired = False
                        await comparison.compare(found)
                if not has_expired:  # else retention has removed every record
                    await comparison.end()
        except (*OUTAGES, TimeoutError) as error:
            raise Unavailable(f"the topic {self._topic} cannot be read from the broker", rejection(error)) from error
        finally:
            await stop_quietly(consumer)
        result.findings.sort()
        return result


class _Comparison:
    """Walks through one partition of the log beside the topic's records.

    ::

        log      1  4  5  9     the records of every event up to the highest position of a record are open until they come
        topic    1  5  4  5     4 comes late, which is right: others were sent again; 5 comes twice
    """

    def __init__(
        self,
        log: SearchableLog,
        records: IntegrationRecords,
        schemas: Mapping[int, str],
        result: ComparedTopic,
        partition: int,
        up_to: int,
    ) -> None:
        """``schemas`` are the registered ones by their ids."""
        self._schemas = schemas
        self._records, self._result, self._partition = records, result, partition
        self._rows = self._from(log, up_to)
        self._next: StoredEvent | None = None
        self._reached = 0
        """The highest position of a record so far."""
        self._open: dict[_Key, IntegrationRecord] = {}
        """The records that did not come yet."""
        self._seen: OrderedDict[_Key, bytes] = OrderedDict()

    async def skip(self, first: Any) -> None:
        """Passes over the events before the first record that is there: retention has removed theirs."""
        position = _position_of(dict(first.headers)) or 1
        await self._advance(position - 1)
        self._result.expired += len(self._open)
        self._open.clear()

    async def compare(self, found: Sequence[Any]) -> None:
        """Compares the next records of the topic."""
        for record in found:
            headers = dict(record.headers)
            position = _position_of(headers)
            if position is None:
                self._result.add_finding(self._partition, 0, "extra")
                continue
            key = (position, headers.get("ce_type", b""))
            is_first, digest = position > self._reached, _digest(record.key, record.value)
            self._result.records += 1
            await self._advance(position)
            if key in self._open:
                if not self._is_as_made(self._open.pop(key), record):
                    self._result.add_finding(self._partition, position, "altered")
                self._seen[key] = digest
                if len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
            elif is_first:
                self._result.add_finding(self._partition, position, "extra")
            else:
                self._result.repeated += 1
                if self._seen.get(key, digest) != digest:
                    self._result.add_finding(self._partition, position, "altered")

    async def end(self) -> None:
        """Finds what did not come."""
        await self._advance(None)
        for position, _ in self._open:
            self._result.add_finding(self._partition, position, "missing")

    def _is_as_made(self, expected: IntegrationRecord, record: Any) -> bool:
        """Returns whether a record is as its event makes it, by the schema by which it was written."""
        if (record.key or b"") != expected.key:
            return False
        if record.value == expected.value:
            return True
        if expected.values is None or record.value is None:
            return False
        try:
            id = schema_id(record.value)
            return bool(record.value == encode(self._schemas[id], id, expected.values, is_strict=False))
        except (Malformed, KeyError, ValueError, TypeError):
            return False

    async def _advance(self, position: int | None) -> None:
        """Opens the records of the events up to a position, or of all that are left."""
        while True:
            row = self._next or await anext(self._rows, None)
            if row is None or (position is not None and row.position > position):
                self._next = row
                break
            self._next = None
            for topic, record in self._records.attempts(row):
                if topic != self._result.topic:
                    continue
                if isinstance(record, Exception):
                    self._result.add_finding(self._partition, row.position, "not made")
                else:
                    self._open[row.position, dict(record.headers)["ce_type"]] = record
        self._reached = max(self._reached, position or 0)

    async def _from(self, log: SearchableLog, up_to: int) -> AsyncIterator[StoredEvent]:
        async for rows in partition_events(log, self._partition, 0, up_to):
            for row in rows:
                yield row


async def _records(consumer: AIOKafkaConsumer, tp: TopicPartition, end: int, source: bytes) -> AsyncIterator[list[Any]]:
    """Yields the records of one context."""
    consumer.assign([tp])
    await consumer.seek_to_beginning(tp)
    async for records in records_up_to(consumer, tp, end):
        yield [record for record in records if dict(record.headers).get("ce_source") == source]


def _position_of(headers: Mapping[str, bytes]) -> int | None:
    try:
        return read_integer(headers.get("ce_position", b"").decode())
    except (ValueError, UnicodeDecodeError):
        return None


def _digest(key: bytes | None, value: bytes | None) -> bytes:
    return blake2b((key or b"") + b"\0" + (value or b""), digest_size=16).digest()
