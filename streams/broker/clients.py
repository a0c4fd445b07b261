"""Kafka clients: how they are configured, started and stopped, and a producer that replaces itself after a failure."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import Unavailable
from streams.broker.fetch_backoff import with_fetch_backoff
from streams.settings import Settings
from streams.telemetry.retrying import reason

ORIGIN_BYTES = 64 * 1024
"""Bytes that a dead letter's record may have beyond those of its original, for the headers with its origin."""
OUTAGES = (KafkaError, OSError)
"""Errors of a client whose broker is out of reach or rejects it."""
_MAX_CANCELLED_START_SECONDS = 1.0
_MAX_SILENCE_SECONDS = 10.0
REQUEST_MS = 10_000


class ResilientProducer:
    """One idempotent producer for all tasks of a process: started at its first use, replaced after a failure.

    A producer that failed once may be fenced, or out of step with a broker that lost its state.
    """

    def __init__(self, settings: Settings, before_start: Callable[[], Awaitable[None]] | None = None) -> None:
        """``before_start`` is awaited before each start; it may create topics."""
        self._settings, self._before_start = settings, before_start
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AIOKafkaProducer]:
        """Lends the producer to a block; raises `Unavailable` for the client's errors, after which the producer is replaced."""
        producer = None
        try:
            producer = await self._started()
            yield producer
        except OUTAGES as error:
            if producer is self._producer:  # another task may have replaced it already
                await self.close()
            raise Unavailable("no broker acknowledges", f"{self._settings.brokers}: {reason(error)}") from error

    async def close(self) -> None:
        """Stops the producer; the next use starts another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_quietly(producer)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                if self._before_start is not None:
                    await self._before_start()
                self._producer = await started_producer(self._settings)
            return self._producer


async def started_producer(settings: Settings) -> AIOKafkaProducer:
    """Returns a connected, idempotent producer that waits for every in-sync replica; raises the client's errors."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.brokers,
        enable_idempotence=True,
        acks="all",
        max_batch_size=256 * 1024,  # records that are sent together travel together: the default holds a dozen events
        max_request_size=settings.max_record_bytes + ORIGIN_BYTES,
        request_timeout_ms=REQUEST_MS,
    )
    try:
        await start(producer)
    except BaseException:
        await stop_quietly(producer)
        raise
    return producer


def new_consumer(settings: Settings, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """Returns a consumer, not yet started, that commits no offsets by itself; ``options`` are the client's."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=settings.brokers, enable_auto_commit=False, **options)
    return with_fetch_backoff(consumer) if settings.fetch_backoff else consumer


async def start(client: Any) -> None:
    """Starts a producer, consumer or admin client; if it is cancelled meanwhile, the start is first awaited for a second.

    A client (aiokafka 0.14) that is interrupted while it connects would leave a connection behind.
    """
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(*OUTAGES, TimeoutError):
            async with asyncio.timeout(_MAX_CANCELLED_START_SECONDS):
                await starting
        raise


async def stop_quietly(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stops a client whose broker may be out of reach."""
    with suppress(*OUTAGES, TimeoutError):
        await client.stop()


async def records_up_to(consumer: AIOKafkaConsumer, tp: TopicPartition, end: int) -> AsyncIterator[Sequence[Any]]:
    """Yields a partition's records from the consumer's position up to an offset, exclusive, in chunks.

    Raises `TimeoutError` if no record arrives for ten seconds.
    """
    heard = time.monotonic()
    while await consumer.position(tp) < end:
        if records := (await consumer.getmany(tp, timeout_ms=1000, max_records=1000)).get(tp):
            yield records
            heard = time.monotonic()
        elif time.monotonic() - heard > _MAX_SILENCE_SECONDS:
            raise TimeoutError(f"{tp.topic}/{tp.partition} delivers no record below offset {end}")
