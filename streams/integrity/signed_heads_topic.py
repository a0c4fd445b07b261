"""The compacted topic of a log's signed heads: out of the database's reach, so that cutting its newest events off shows."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.catalog import Catalog, ContextName
from schemas.errors import Malformed, Unavailable
from streams.broker.fetch_backoff import paced
from streams.broker.topics import Topics, started_producer, stop_quietly
from streams.integrity.signing import SignedHead
from streams.settings import Settings


class SignedHeadsTopic:
    """Publishes signed heads, of which compaction keeps the newest of each log and key."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings, self._topics = settings, Topics(settings, catalog)
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, head: SignedHead) -> None:
        """Publishes a head and returns once it is acknowledged; raises `Unavailable`."""
        try:
            if self._producer is None:
                self._producer = await started_producer(self._settings)
            # A record for each key: a new one does not take the place of what was signed with the one before it.
            value, key = orjson.dumps(head.as_json()), f"{head.context}/{head.key}".encode()
            await self._producer.send_and_wait(self._topics.signed_heads(head.context), value, key, partition=0)
        except (KafkaError, OSError) as error:
            await self.close()
            raise Unavailable("no broker acknowledges", str(error)) from error

    async def close(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await stop_quietly(producer)


async def published_heads(settings: Settings, catalog: Catalog, context: ContextName) -> Sequence[SignedHead]:
    """Every signed head of a log that the topic still holds; raises `Unavailable`.

    Records that are none are passed over: anyone may have written to the topic.
    """
    consumer = paced(AIOKafkaConsumer(bootstrap_servers=settings.brokers, enable_auto_commit=False, request_timeout_ms=10_000))
    partition = TopicPartition(Topics(settings, catalog).signed_heads(context), 0)
    found: list[SignedHead] = []
    try:
        await consumer.start()
        if partition.topic not in await consumer.topics():
            return []  # asked for by its name, a missing topic would be made with the broker's defaults
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        async with asyncio.timeout(30):
            while await consumer.position(partition) < end:
                for record in (await consumer.getmany(partition, timeout_ms=500)).get(partition, []):
                    with suppress(Malformed):
                        found.append(SignedHead.parse(record.value or b""))
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable("no broker shows the signed heads", repr(error)) from error
    finally:
        await stop_quietly(consumer)
    return [head for head in found if head.context == context]
