"""The consumer of the commands topics: at least once, with offsets committed after handling."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError

from schemas.catalog import Catalog
from schemas.errors import CaudalError, Unavailable
from schemas.system import ContextName
from streams.broker.clients import OUTAGES, ResilientProducer, new_consumer, start, stop_quietly
from streams.broker.cloudevents import place_of
from streams.broker.provisioning import ensure_topics
from streams.broker.readiness import GroupReadiness
from streams.broker.topic_names import Topics
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import origin_headers, sendable
from streams.subscriptions.faults import describe
from streams.telemetry.retrying import Backoff, keep_running, raise_if_cancelled

_log = structlog.get_logger()
_COMMIT_SECONDS = 1.0

Handle = Callable[[Sequence[Any]], Awaitable[None]]
"""Handles records; their offsets are committed after it has returned."""


class CommandConsumer:
    """Consumes the commands topics of every context within one consumer group."""

    def __init__(self, settings: Settings, catalog: Catalog, group: str) -> None:
        self._settings, self._catalog, self._group = settings, catalog, group
        self._topics = Topics(settings, catalog)
        self._producer = ResilientProducer(settings)
        self._readiness = GroupReadiness(group)

    def why_not_ready(self) -> str | None:
        """Returns why the consumer is not ready, or ``None`` if it is."""
        return self._readiness.why_not_ready()

    async def run(self, handle: Handle) -> None:
        """Gives every record to ``handle`` until cancelled, through outages of the broker."""
        backoff = Backoff("command consumer interrupted", first_seconds=1, max_seconds=1, group=self._group)
        try:
            await keep_running(partial(self._consume, handle), (Unavailable, *OUTAGES), backoff)
        finally:
            await self._producer.close()

    def context_of(self, record: Any) -> ContextName:
        """Returns the context on whose commands topic a record arrived."""
        return self._topics.context_of(record.topic)

    async def park(self, record: Any, error: Exception, *, keep_value: bool = True) -> None:
        """Publishes a record that is not a command on its context's dead-letters topic, unchanged, with the reason.

        ``keep_value=False`` leaves its value out, which may hold personal data. Raises `Unavailable` if no broker
        acknowledges it.
        """
        context = self.context_of(record)
        why = f"{error.kind}: {describe(error)}" if isinstance(error, CaudalError) else describe(error)
        _log.warning("record parked", topic=record.topic, partition=record.partition, offset=record.offset, why=why)
        origin = place_of(record)
        headers = [*record.headers, *origin_headers(context, origin, why, "commands")]
        value = sendable(record.key, record.value if keep_value else None)
        async with self._producer.connected() as producer:
            await producer.send_and_wait(self._topics.dead_letters(context), value, record.key, headers=headers)

    async def _consume(self, handle: Handle) -> None:
        await ensure_topics(self._settings, self._catalog)
        consumer = new_consumer(
            self._settings,
            *map(self._topics.commands, self._catalog.contexts),
            group_id=f"{self._settings.topic_prefix}.{self._group}",
            group_instance_id=f"{self._group}-{self._settings.instance}",
            auto_offset_reset="earliest",
            max_poll_records=self._settings.subscription_batch_records,
        )
        try:
            await start(consumer)
            await self._poll(consumer, handle)
        finally:
            await stop_quietly(consumer)

    async def _poll(self, consumer: AIOKafkaConsumer, handle: Handle) -> None:
        handled: dict[Any, int] = {}
        committed = time.monotonic()
        while True:
            raise_if_cancelled()
            batches = await consumer.getmany(timeout_ms=500 if self._readiness.had_partitions else 50)
            self._readiness.note_assignment(consumer.assignment())
            if batches:
                await handle([record for found in batches.values() for record in found])
                handled |= {tp: found[-1].offset + 1 for tp, found in batches.items()}
            if handled and time.monotonic() - committed > _COMMIT_SECONDS:
                await self._commit(consumer, handled)
                handled, committed = {}, time.monotonic()

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: dict[Any, int]) -> None:
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions belong to another process now. It repeats these commands, and their receipts answer them.
            _log.warning("offsets not committed", group=self._group, why=str(error))
