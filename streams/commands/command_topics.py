"""Commands topics: sent to by an idempotent producer, consumed at least once with offsets committed after handling."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from schemas.catalog import Catalog, ContextName
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Unavailable
from schemas.message import Command
from streams.broker.cloudevents import encode_command
from streams.broker.fetch_backoff import paced
from streams.broker.topics import Topics, ensure_topics, start, started_producer, stop_quietly
from streams.log.partitioning import partition_of
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import origin_headers, sendable
from streams.subscriptions.faults import describe

_log = structlog.get_logger()
_COMMIT_SECONDS = 1.0
_LONGEST_JOIN_SECONDS = 20


class CommandSender:
    """Sends commands to their contexts' topics."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings, self._catalog = settings, catalog
        self._topics = Topics(settings, catalog)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, commands: Sequence[tuple[ContextName, CommandEnvelope[Command], str]]) -> None:
        """Sends commands, each with the key that orders it, and returns once the broker has acknowledged all of them.

        Raises `Unavailable` where it does not; some may be in the topic then, and sending all of them again is safe.
        """
        try:
            producer = await self._started()
            acknowledgements = []
            for context, issued, key in commands:
                record = encode_command(issued, context.system, key)
                acknowledgements.append(
                    await producer.send(
                        self._topics.commands(context),
                        record.value,
                        record.key,
                        partition=partition_of(key, self._catalog.context(context).partitions),
                        timestamp_ms=record.timestamp_ms,
                        headers=record.headers,
                    )
                )
            await asyncio.gather(*acknowledgements)
        except (KafkaError, OSError) as error:
            # A producer that has failed once may be fenced or out of step with a broker that lost its state.
            await self.close()
            raise Unavailable("no broker acknowledges", str(error)) from error

    async def close(self) -> None:
        """Stops the producer; the next `send` starts another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_quietly(producer)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                await ensure_topics(self._settings, self._catalog)
                self._producer = await started_producer(self._settings)
            return self._producer


class CommandConsumer:
    """Consumes the commands topics of every context within one consumer group."""

    def __init__(self, settings: Settings, catalog: Catalog, group: str) -> None:
        self._settings, self._catalog, self._group = settings, catalog, group
        self._topics = Topics(settings, catalog)
        self._producer: AIOKafkaProducer | None = None
        self._had_partitions = False
        self._began = time.monotonic()

    def why_not_ready(self) -> str | None:
        """Says that the group has not given this process partitions yet; with many processes some never get any."""
        if self._had_partitions or time.monotonic() - self._began > _LONGEST_JOIN_SECONDS:
            return None
        return f"the consumer group {self._group} has not assigned partitions yet"

    async def run(self, handle: Callable[[Sequence[Any]], Awaitable[None]]) -> None:
        """Gives every record to ``handle`` and commits what it has returned from; runs until cancelled."""
        while True:
            try:
                await ensure_topics(self._settings, self._catalog)
                await self._consume(handle)
            except (KafkaError, Unavailable, OSError) as error:
                _log.warning("consuming commands again soon", why=str(error) or repr(error))
                await asyncio.sleep(1)

    def context_of(self, record: Any) -> ContextName:
        """The context on whose commands topic a record came."""
        return self._topics.context_of(record.topic)

    async def park(self, record: Any, error: Exception, *, keep_value: bool = True) -> None:
        """Puts a record that is no command onto its context's dead-letters topic, as it came, with the reason.

        Without its value where that may hold what nobody may read. Raises `Unavailable` where no broker acknowledges it.
        """
        context = self.context_of(record)
        why = f"{error.kind}: {describe(error)}" if isinstance(error, CaudalError) else describe(error)
        _log.warning("parked a record", topic=record.topic, partition=record.partition, offset=record.offset, why=why)
        origin = f"{record.topic}/{record.partition}@{record.offset}"
        headers = [*record.headers, *origin_headers(context, origin, why, "commands")]
        try:
            assert self._producer is not None, "records are parked while they are consumed"
            value = sendable(record.key, record.value if keep_value else None)
            await self._producer.send_and_wait(self._topics.dead_letters(context), value, record.key, headers=headers)
        except (KafkaError, OSError) as failed:
            raise Unavailable("no broker acknowledges", str(failed)) from failed

    async def _consume(self, handle: Callable[[Sequence[Any]], Awaitable[None]]) -> None:
        consumer = paced(
            AIOKafkaConsumer(
                *map(self._topics.commands, self._catalog.contexts),
                bootstrap_servers=self._settings.brokers,
                group_id=f"{self._settings.topic_prefix}.{self._group}",
                group_instance_id=f"{self._group}-{self._settings.instance}",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_records=self._settings.subscription_batch_records,
            )
        )
        try:
            self._producer = await started_producer(self._settings)
            await start(consumer)
            handled: dict[Any, int] = {}
            committed = time.monotonic()
            while True:
                batches = await consumer.getmany(timeout_ms=500 if self._had_partitions else 50)
                self._had_partitions = self._had_partitions or bool(consumer.assignment())
                if batches:
                    await handle([record for found in batches.values() for record in found])
                    handled |= {tp: found[-1].offset + 1 for tp, found in batches.items()}
                if handled and time.monotonic() - committed > _COMMIT_SECONDS:
                    await self._commit(consumer, handled)
                    handled, committed = {}, time.monotonic()
        finally:
            await stop_quietly(consumer)
            if self._producer is not None:
                await stop_quietly(self._producer)

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: dict[Any, int]) -> None:
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions have moved on; who has them now will see repeated commands, known by their receipts.
            _log.warning("could not commit offsets", why=str(error))
