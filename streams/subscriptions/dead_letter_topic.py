"""The topics of dead letters: each as it came, byte for byte, with headers that say where from and why."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.catalog import Catalog, ContextName
from schemas.errors import Unavailable
from streams.broker.topics import Topics, ensure_topics, started_producer, stop_quietly
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
                letters = await store.letters.unpublished(connection)
                if not letters:
                    return published
                await self._send(letters)
                await store.letters.published(connection, letters)
            published += len(letters)

    async def close(self) -> None:
        """Lets go of the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_quietly(producer)

    async def _send(self, letters: Sequence[DeadLetter]) -> None:
        try:
            producer = await self._started()
            for letter in letters:
                topic, headers = self._topics.dead_letters(letter.context), [*letter.headers, *_about(letter)]
                value = sendable(letter.key, letter.value)
                await producer.send(topic, value, letter.key, partition=letter.partition, headers=headers)
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


def _about(letter: DeadLetter) -> list[tuple[str, bytes]]:
    own = origin_headers(letter.context, letter.origin, letter.error, letter.subscription)
    return [*own, (f"{PREFIX}id", str(letter.id).encode())]
