"""The records of a topic, as they are read."""

from typing import Any

from aiokafka import TopicPartition

from streams.broker.clients import connected_consumer, records_up_to
from streams.settings import Settings


async def records_of(settings: Settings, topic: str) -> list[Any]:
    """All records of a topic, by partition."""
    found: list[Any] = []
    for tp in (TopicPartition(topic, partition) for partition in range(4)):
        async with connected_consumer(settings, "test") as consumer:
            begin, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
            consumer.assign([tp])
            consumer.seek(tp, begin)
            async for some in records_up_to(consumer, tp, end):
                found += some
    return found
