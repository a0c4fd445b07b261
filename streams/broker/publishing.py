"""Publishing of stored events to their topic: each in its partition, in order, a batch of a partition at a time."""

import asyncio
from collections.abc import Iterator, Sequence
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


async def publish(
    producer: AIOKafkaProducer, topic: str, context: ContextName, rows: Sequence[StoredEvent], headers: Headers = ()
) -> Sequence[Acknowledged]:
    """Publishes rows and returns their batches when all are acknowledged; each record also gets ``headers``.

    It fills the client's batches itself: the client makes a future for each record that it gets one by one.
    """
    by_partition: dict[int, list[StoredEvent]] = {}
    for row in rows:
        by_partition.setdefault(row.partition, []).append(row)

    async def send(partition: int, own: Sequence[StoredEvent]) -> list[Acknowledged]:
        sent = []
        for batch, count in _batches(producer, context, own, headers):
            sent.append((await producer.send_batch(batch, topic, partition=partition), count))
        offsets = [((await done).offset, count) for done, count in sent]
        return [Acknowledged(partition, first, first + count - 1) for first, count in offsets]

    found = await asyncio.gather(*(send(partition, own) for partition, own in by_partition.items()))
    return [acknowledged for of_partition in found for acknowledged in of_partition]


def _batches(
    producer: AIOKafkaProducer, context: ContextName, rows: Sequence[StoredEvent], headers: Headers
) -> Iterator[tuple[Any, int]]:
    """Yields batches, as large as the client makes them, each with its number of records."""
    batch, count = producer.create_batch(), 0
    for row in rows:
        record = encode_event(row, context)
        fields = {"timestamp": record.timestamp_ms, "key": record.key, "value": record.value}
        every_header = [*record.headers, *headers]
        if batch.append(**fields, headers=every_header) is None:
            yield batch, count
            batch, count = producer.create_batch(), 0
            batch.append(**fields, headers=every_header)
        count += 1
    yield batch, count
