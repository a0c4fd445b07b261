"""Publishing: rows of a log as records of its topic, each in its partition, in order."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.catalog import ContextName
from streams.codec import Headers, encode_event
from streams.rows import Row


async def publish(
    producer: AIOKafkaProducer, topic: str, context: ContextName, rows: Sequence[Row], marks: Headers = ()
) -> Sequence[Any]:
    """Publishes rows and returns what the broker says of each, once all are acknowledged; ``marks`` are further headers."""
    acknowledgements = []
    for row in rows:
        record = encode_event(row, context)
        acknowledgements.append(
            await producer.send(
                topic,
                record.value,
                record.key,
                partition=row.partition,
                timestamp_ms=record.timestamp_ms,
                headers=[*record.headers, *marks],
            )
        )
    return await asyncio.gather(*acknowledgements)
