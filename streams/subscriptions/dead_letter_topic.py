"""The topics of dead letters: each as it came, byte for byte, with headers that say where from and why."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.catalog import Catalog, ContextName
from schemas.errors import Unavailable
from streams.broker.clients import started_producer, stop_quietly
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.settings import Settings
from streams.subscriptions.dead_letters import DeadLetter
from streams.subscriptions.store import SubscriptionStore

PREFIX = "dead_letter_"


class DeadLetterTopic:
    """Publishes the dead letters that a subscription keeps, once they are kept: what is on the topic can be looked up."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings, self._catalog = settings, catalog
        self._topics = Topics(settings, catalog)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, store: SubscriptionStore) -> int:
        """Publishes what is not published yet and returns how many; raises `Unavailable`.

        One that was published while the note of it was lost is published again.
        """
        published = 0
        while True:
            async with store.transaction() as connection:
                dead_letters = await store.dead_letters.unpublished(connection)
                if not dead_letters:
                    return published
                await self._send(dead_letters)
                await store.dead_letters.published(connection, dead_letters)
            published += len(dead_letters)

    async def close(self) -> None:
        """Lets go of the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_quietly(producer)

    async def _send(self, dead_letters: Sequence[DeadLetter]) -> None:
        try:
            producer = await self._started()
            for dead_letter in dead_letters:
                topic, headers = self._topics.dead_letters(dead_letter.context), [*dead_letter.headers, *_about(dead_letter)]
                value = sendable(dead_letter.key, dead_letter.value)
                await producer.send(topic, value, dead_letter.key, partition=dead_letter.partition, headers=headers)
            await producer.flush()
        except (KafkaError, OSError) as error:
            await self.close()
            raise Unavailable("no broker acknowledges", str(error)) from error

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                await ensure_topics(self._settings, self._catalog)
                self._producer = await started_producer(self._settings)
            return self._producer


def sendable(key: bytes | None, value: bytes | None) -> bytes | None:
    """A record's value as the client sends it: without a key it must be there, if only empty."""
    return b"" if key is None and value is None else value


def origin_headers(context: ContextName, origin: str, error: str | None, subscription: str) -> list[tuple[str, bytes]]:
    """What a dead letter's headers say beyond those that it came with."""
    told = {"context": str(context), "origin": origin, "subscription": subscription, "error": error or "waits behind another"}
    return [(f"{PREFIX}{name}", text.encode(errors="replace")) for name, text in told.items()]


def _about(dead_letter: DeadLetter) -> list[tuple[str, bytes]]:
    own = origin_headers(dead_letter.context, dead_letter.origin, dead_letter.error, dead_letter.subscription)
    return [*own, (f"{PREFIX}id", str(dead_letter.id).encode())]
