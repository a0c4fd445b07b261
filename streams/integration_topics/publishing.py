"""Publishing on integration topics: before the events, so that an event in its topic says that its records are out."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from streams.integration_topics.records import IntegrationRecords
from streams.log.stored_events import StoredEvent


async def publish_records(producer: AIOKafkaProducer, records: IntegrationRecords, rows: Sequence[StoredEvent]) -> int:
    """Publishes the records that follow from rows, in order, and returns their number when all are acknowledged."""
    sent = []
    for row in rows:
        for one in records.of(row):
            fields = {"partition": one.partition, "timestamp_ms": one.timestamp_ms, "headers": one.headers}
            sent.append(await producer.send(one.topic, one.value, one.key, **fields))
    await asyncio.gather(*sent)
    return len(sent)
