"""The compacted topic of a log's signed heads, outside the database: it shows that the newest events were cut off."""

from collections.abc import Sequence
from contextlib import suppress

import orjson
from aiokafka import TopicPartition

from schemas.catalog import Catalog
from schemas.errors import Malformed, Unavailable
from schemas.system import ContextName
from streams.broker.clients import OUTAGES, ResilientProducer, new_consumer, records_up_to, start, stop_quietly, time_limit
from streams.broker.security import rejection
from streams.broker.topic_names import Topics
from streams.integrity.signing import SignedHead
from streams.settings import Settings


class SignedHeadsTopic:
    """Publishes signed heads; compaction keeps the newest of each log and key."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._topics = Topics(settings, catalog)
        self._producer = ResilientProducer(settings, "signed-heads")

    async def publish(self, head: SignedHead) -> None:
        """Publishes a head and returns when it is acknowledged; raises `Unavailable`."""
        # The signing key is part of the record's key: a new key does not replace the heads of the one before it.
        value, key = orjson.dumps(head.as_json()), f"{head.context}/{head.key}".encode()
        async with self._producer.connected() as producer:
            await producer.send_and_wait(self._topics.signed_heads(head.context), value, key, partition=0)

    async def close(self) -> None:
        """Closes the connection to the broker."""
        await self._producer.close()


async def published_heads(settings: Settings, catalog: Catalog, context: ContextName) -> Sequence[SignedHead]:
    """Returns every signed head of a log that the topic still holds; raises `Unavailable`.

    Records that are not signed heads are skipped: any program may have written to the topic.
    """
    consumer = new_consumer(settings, "signed-heads")
    partition = TopicPartition(Topics(settings, catalog).signed_heads(context), 0)
    found: list[SignedHead] = []
    try:
        await start(consumer)
        async with time_limit(settings):
            if partition.topic not in await consumer.topics():
                return []  # a look-up by its name would create a missing topic with the broker's defaults
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
        async for records in records_up_to(consumer, partition, end):
            for record in records:
                with suppress(Malformed):
                    found.append(SignedHead.parse(record.value or b""))
    except OUTAGES as error:
        raise Unavailable("the signed heads cannot be read from the broker", rejection(error)) from error
    finally:
        await stop_quietly(consumer)
    return [head for head in found if head.context == context]
