"""Publishing of stored events to their topic: each in its partition, in order, a batch of a partition at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from schemas.system import ContextName
from streams.broker.cloudevents import Headers, encode_event
from streams.log.stored_events import StoredEvent


class Acknowledged(NamedTuple):
    """A batch that the broker has acknowledged."""

    partition: int
    first: int
    """Offset of its first record."""
    last: int
    position: int
    """Position of its last event."""


async def publish(
    producer: AIOKafkaProducer, topic: str, context: ContextName, rows: Sequence[StoredEvent], headers: Headers = ()
) -> Sequence[Acknowledged]:
    """Publishes rows and returns their batches when all are acknowledged; each record also gets ``headers``."""

    async def send(own: Sequence[StoredEvent]) -> list[Acknowledged]:
        return [batch async for batch in publish_partition(producer, topic, context, own, lambda _: headers)]

    found = await asyncio.gather(*(send(own) for own in by_partition(rows).values()))
    return [acknowledged for of_partition in found for acknowledged in of_partition]


async def publish_partition(
    producer: AIOKafkaProducer,
    topic: str,
    context: ContextName,
    rows: Sequence[StoredEvent],
    headers_of: Callable[[StoredEvent], Headers],
) -> AsyncIterator[Acknowledged]:
    """Publishes rows of one partition, and yields their batches as the broker acknowledges them.

    Each record also gets the headers that ``headers_of`` returns for its event. No batch is sent before the one before it is
    acknowledged, so nothing is published behind a batch that the broker rejects. Raises the client's errors.

    It fills the client's batches itself: the client makes a future for each record that it gets one by one.
    """
    sent: tuple[Any, Sequence[StoredEvent]] | None = None
    for batch, some in _batches(producer, context, rows, headers_of):  # filled while the batch before it is on its way
        if sent is not None:
            yield await _acknowledged(*sent)
        sent = (await producer.send_batch(batch, topic, partition=some[0].partition), some)
    if sent is not None:
        yield await _acknowledged(*sent)


def by_partition(rows: Iterable[StoredEvent]) -> dict[int, list[StoredEvent]]:
    """Returns rows by their partition, each partition's in order."""
    found: dict[int, list[StoredEvent]] = {}
    for row in rows:
        found.setdefault(row.partition, []).append(row)
    return found


async def _acknowledged(done: Any, rows: Sequence[StoredEvent]) -> Acknowledged:
    first = (await done).offset
    return Acknowledged(rows[0].partition, first, first + len(rows) - 1, rows[-1].position)


def _batches(
    producer: AIOKafkaProducer,
    context: ContextName,
    rows: Sequence[StoredEvent],
    headers_of: Callable[[StoredEvent], Headers],
) -> Iterator[tuple[Any, Sequence[StoredEvent]]]:
    """Yields batches, as large as the client makes them, each with its rows."""
    batch, start = producer.create_batch(), 0
    for index, row in enumerate(rows):
        record = encode_event(row, context)
        fields = {"timestamp": record.timestamp_ms, "key": record.key, "value": record.value}
        every_header = [*record.headers, *headers_of(row)]
        if batch.append(**fields, headers=every_header) is None:
            yield batch, rows[start:index]
            batch, start = producer.create_batch(), index
            batch.append(**fields, headers=every_header)
    if rows:
        yield batch, rows[start:]
