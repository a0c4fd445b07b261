"""Topics: their names, how they are made, and the one producer configuration that is used."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import InvalidPartitionsError, KafkaError, for_code

from schemas.catalog import Catalog, ContextName
from schemas.errors import Misconfigured, Unavailable
from streams.settings import Settings

_log = structlog.get_logger()
_TOPIC_EXISTS = 36
_LONGEST_GOODBYE = 1.0
_SILENCE_SECONDS = 10.0
_HOUR_MS = 3_600_000
_ORIGIN_BYTES = 64 * 1024
"""Room in a dead letter for the headers that say where it came from."""


class Topics:
    """A deployment's topics: ``<prefix>.<system>.<context>.events``, ``….commands``, ``….dead-letters``, ``….signed-heads``."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._prefix = settings.topic_prefix
        self._contexts = {self.events(name): name for name in catalog.contexts}
        self._contexts |= {self.commands(name): name for name in catalog.contexts}

    def events(self, context: ContextName) -> str:
        return f"{self._prefix}.{context}.events"

    def commands(self, context: ContextName) -> str:
        return f"{self._prefix}.{context}.commands"

    def dead_letters(self, context: ContextName) -> str:
        return f"{self._prefix}.{context}.dead-letters"

    def signed_heads(self, context: ContextName) -> str:
        return f"{self._prefix}.{context}.signed-heads"

    def context_of(self, topic: str) -> ContextName:
        """The context whose events or commands a topic carries."""
        return self._contexts[topic]


async def ensure_topics(settings: Settings, catalog: Catalog, contexts: Iterable[ContextName] | None = None) -> None:
    """Makes what topics are missing, with the partitions and the retention that they are to have.

    Raises `Unavailable` while no broker answers, `Misconfigured` where a topic has more partitions than it may.
    """
    topics = Topics(settings, catalog)
    size, largest = {"max.message.bytes": str(settings.max_record_bytes)}, settings.max_record_bytes + _ORIGIN_BYTES
    wanted = [
        NewTopic(name, partitions, settings.replication_factor, topic_configs=config)
        for context in (catalog.contexts if contexts is None else contexts)
        for partitions in (catalog.context(context).partitions,)
        for name, partitions, config in (
            (topics.events(context), partitions, {"retention.ms": _retention(settings.events_retention_hours), **size}),
            (topics.commands(context), partitions, {"retention.ms": _retention(settings.commands_retention_hours), **size}),
            (topics.dead_letters(context), partitions, {"retention.ms": "-1", "max.message.bytes": str(largest)}),
            (topics.signed_heads(context), 1, {"cleanup.policy": "compact"}),
        )
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers, request_timeout_ms=10_000)
    try:
        await start(admin)
        for topic, code, message in (await admin.create_topics(wanted)).topic_errors:
            if code not in (0, _TOPIC_EXISTS):
                raise Unavailable(f"the topic {topic} could not be made: {message or for_code(code).__name__}")
        await _complete_partitions(admin, wanted)
    except KafkaError as error:
        raise Unavailable("no broker answers", f"{settings.brokers}: {error}") from error
    finally:
        await admin.close()


async def _complete_partitions(admin: AIOKafkaAdminClient, wanted: Iterable[NewTopic]) -> None:
    """Adds partitions to a topic that a client's look-up has made with a broker's default before we could."""
    by_name = {topic.name: topic.num_partitions for topic in wanted}
    for found in await admin.describe_topics(list(by_name)):
        name, partitions = found["topic"], len(found["partitions"])
        if partitions > by_name[name]:
            raise Misconfigured(f"the topic {name} has {partitions} partitions, its log {by_name[name]}")
        if partitions < by_name[name]:
            # A broker may not tell yet of what was just made, and other processes complete topics as well.
            with suppress(InvalidPartitionsError):
                await admin.create_partitions({name: NewPartitions(by_name[name])})
                _log.info("completed the partitions of a topic", topic=name, partitions=by_name[name])


async def start(client: Any) -> None:
    """Starts a producer, consumer or admin client; where it is cancelled meanwhile, it first comes to an end, within limits.

    Broken off in the middle of connecting, the client (aiokafka 0.14) would leave a connection behind.
    """
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_LONGEST_GOODBYE):
                await starting
        raise


async def started_producer(settings: Settings) -> AIOKafkaProducer:
    """An idempotent producer that waits for every in-sync replica, connected; raises the client's errors."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.brokers,
        enable_idempotence=True,
        acks="all",
        max_batch_size=256 * 1024,  # what is sent together travels together: the default holds a dozen events
        max_request_size=settings.max_record_bytes + _ORIGIN_BYTES,
        request_timeout_ms=10_000,
    )
    try:
        await start(producer)
    except BaseException:
        await stop_quietly(producer)
        raise
    return producer


async def records_up_to(consumer: AIOKafkaConsumer, tp: TopicPartition, end: int) -> AsyncIterator[Sequence[Any]]:
    """A partition's records from where the consumer stands, below an offset; raises `TimeoutError` where none come any more."""
    heard = time.monotonic()
    while await consumer.position(tp) < end:
        if records := (await consumer.getmany(tp, timeout_ms=1000, max_records=1000)).get(tp):
            yield records
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE_SECONDS:
            raise TimeoutError(f"{tp.topic}/{tp.partition} does not come to offset {end}")


async def stop_quietly(client: AIOKafkaProducer) -> None:
    """Stops a client whose broker may be gone."""
    with suppress(KafkaError, OSError, TimeoutError):
        await client.stop()


def _retention(hours: int) -> str:
    return "-1" if hours < 0 else str(hours * _HOUR_MS)
