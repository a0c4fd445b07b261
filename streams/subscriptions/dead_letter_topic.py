"""Dead-letter topics: each record byte for byte, with headers that say where it comes from and why it failed."""

import asyncio
from collections.abc import Sequence
from functools import partial

from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.broker.clients import ResilientProducer
from streams.broker.provisioning import OF_LOGS, ensure_topics
from streams.broker.topic_names import Topics
from streams.settings import Settings
from streams.subscriptions.dead_letters import DeadLetter
from streams.subscriptions.store import SubscriptionStore

PREFIX = "dead_letter_"


class DeadLetterTopic:
    """Publishes the dead letters of subscriptions after they were stored: each one on the topic is in a table, too."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._topics = Topics(settings, catalog)
        self._producer = ResilientProducer(settings, "dead-letters", partial(ensure_topics, settings, catalog, kinds=OF_LOGS))

    async def publish(self, store: SubscriptionStore) -> int:
        """Publishes what is not published yet and returns how many; raises `Unavailable`.

        A dead letter is published again if the note that it was published is lost.
        """
        published = 0
        while True:
            async with store.transaction() as connection:
                dead_letters = await store.dead_letters.unpublished(connection)
                if not dead_letters:
                    return published
                await self._send(dead_letters)
                await store.dead_letters.mark_published(connection, dead_letters)
            published += len(dead_letters)

    async def close(self) -> None:
        """Closes the connection to the broker."""
        await self._producer.close()

    async def _send(self, dead_letters: Sequence[DeadLetter]) -> None:
        async with self._producer.connected() as producer:
            sent = []
            for dead_letter in dead_letters:
                topic = self._topics.dead_letters(dead_letter.context)
                headers = [*dead_letter.headers, *_headers_of(dead_letter)]
                value = sendable(dead_letter.key, dead_letter.value)
                partition = dead_letter.partition
                sent.append(await producer.send(topic, value, dead_letter.key, partition=partition, headers=headers))
            await asyncio.gather(*sent)  # flush() would not raise for a record that the broker rejects


def sendable(key: bytes | None, value: bytes | None) -> bytes | None:
    """Returns a record's value as the client can send it: a record without a key needs one, even if it is empty."""
    return b"" if key is None and value is None else value


def origin_headers(context: ContextName, origin: str, error: str | None, subscription: str) -> list[tuple[str, bytes]]:
    """Returns the headers that a dead letter has beside its own."""
    fields = {
        "context": str(context),
        "origin": origin,
        "subscription": subscription,
        "error": error or "waits behind another",
    }
    return [(f"{PREFIX}{name}", text.encode(errors="replace")) for name, text in fields.items()]


def _headers_of(dead_letter: DeadLetter) -> list[tuple[str, bytes]]:
    own = origin_headers(dead_letter.context, dead_letter.origin, dead_letter.error, dead_letter.subscription)
    return [*own, (f"{PREFIX}id", str(dead_letter.id).encode())]
