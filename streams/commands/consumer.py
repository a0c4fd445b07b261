"""The consumer of the commands topics: at least once, with offsets committed after handling.

Each partition is handled by itself: one whose commands cannot be handled now, because its context's database is out of reach,
is paused and holds up no other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, CorruptRecordException, IllegalStateError, MessageSizeTooLargeError
from prometheus_client import Counter

from schemas.catalog import Catalog
from schemas.errors import CaudalError, Invalid, Unavailable
from schemas.system import ContextName
from streams.broker.clients import (
    OUTAGES,
    ResilientProducer,
    connected_consumer,
    is_member,
    leave_unless_member,
    new_consumer,
    records_up_to,
    start,
    stop_quietly,
)
from streams.broker.cloudevents import Headers, place_of
from streams.broker.provisioning import OF_LOGS, ensure_topics
from streams.broker.readiness import GroupReadiness
from streams.broker.topic_names import Topics
from streams.installation import served_contexts
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import PREFIX, origin_headers, sendable
from streams.subscriptions.faults import describe
from streams.telemetry.retrying import Backoff, keep_running, raise_if_cancelled

_log = structlog.get_logger()
_COMMIT_SECONDS = 1.0
_MAX_REASON = 1000
"""Characters of the reason of a dead letter."""
_TOGETHER_SECONDS = 1.0
"""Partitions whose records take longer are paused, and the others go on without them."""
_MAX_WAIT_SECONDS = 10.0
_UNREADABLE = (ValueError, CorruptRecordException)
"""Errors of the client about what a batch holds: names that are not UTF-8, and damaged bytes."""
UNREADABLE = Counter(
    "caudal_unreadable_records", "Records of topics that the client could not read, and passed over.", ["topic"]
)
_END_SECONDS = 5.0
"""Seconds for which the end of a batch that was cancelled is awaited."""

Handle = Callable[[Sequence[Any]], Awaitable[None]]
"""Handles records of one partition, in order; their offsets are committed after it has returned."""


class BatchesInProgress:
    """The batches that are being handled, at most one of a partition, and the offsets up to which others are done."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._tasks: dict[TopicPartition, asyncio.Task[int]] = {}
        self._began: dict[TopicPartition, float] = {}
        self._ending: set[asyncio.Task[int]] = set()
        """Batches of other processes that were cancelled and have not ended."""
        self.done: dict[TopicPartition, int] = {}
        """The offset after the last handled record, by partition."""

    @property
    def partitions(self) -> set[TopicPartition]:
        """The partitions of which a batch is being handled."""
        return set(self._tasks)

    async def handle(self, batches: Mapping[TopicPartition, Sequence[Any]], seconds: float) -> None:
        """Starts to handle batches; returns when all of them are done, or after some seconds. Raises what ``handle`` raises."""
        for tp, records in batches.items():
            self._began[tp] = time.monotonic()
            self._tasks[tp] = asyncio.create_task(self._handled(records))
        if batches:
            await asyncio.wait([self._tasks[tp] for tp in batches], timeout=seconds)
        for tp in [tp for tp, task in self._tasks.items() if task.done()]:
            self.done[tp] = self._tasks.pop(tp).result()

    async def keep_only(self, assigned: Collection[TopicPartition]) -> None:
        """Cancels what belongs to another process now, which handles it from the committed offset.

        Returns when it has ended, or after some seconds: a batch that does not end must not keep the others from being handled.
        """
        lost = [tp for tp in self._tasks if tp not in assigned]
        ending = {self._tasks.pop(tp) for tp in lost}
        self.done = {tp: offset for tp, offset in self.done.items() if tp in assigned}
        for task in ending:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._note_end)
        if ending:
            _, late = await asyncio.wait(ending, timeout=_END_SECONDS)
            if late:
                _log.warning("cancelled commands do not end", partitions=len(late), seconds=_END_SECONDS)

    def _note_end(self, task: asyncio.Task[int]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # the other process meets it too

    def waiting_for(self, seconds: float) -> list[str]:
        """Returns the topics of which a batch has been in progress for longer than some seconds."""
        since = time.monotonic() - seconds
        return sorted({tp.topic for tp in self._tasks if self._began[tp] < since})

    async def _handled(self, records: Sequence[Any]) -> int:
        await self._handle(records)
        return int(records[-1].offset) + 1


class _Revocations(ConsumerRebalanceListener):  # type: ignore[misc]  # the library is untyped
    """Calls a function before partitions are assigned anew."""

    def __init__(self, note_revoked: Callable[[], None]) -> None:
        self._note_revoked = note_revoked

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._note_revoked()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Does nothing: what was known of the partitions is dropped already."""


class DeadLetterRecord(NamedTuple):
    """The part of a record that is kept if it cannot be handled, and the topic that keeps it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class RecordConsumer:
    """Consumes topics within one consumer group: at least once, each partition by itself."""

    def __init__(
        self, settings: Settings, group: str, topics: Sequence[str], ensure_topics: Callable[[], Awaitable[object]]
    ) -> None:
        """``ensure_topics`` creates the topics that are missing."""
        self._settings, self._group, self._subscribed, self._ensure_topics = settings, group, topics, ensure_topics
        self._producer = ResilientProducer(settings, "dead-letters")
        self._readiness = GroupReadiness(group)
        self._in_progress: BatchesInProgress | None = None

    def why_not_ready(self) -> str | None:
        """Returns why the consumer is not ready, or ``None`` if it is."""
        waiting = [] if self._in_progress is None else self._in_progress.waiting_for(_MAX_WAIT_SECONDS)
        return self._readiness.why_not_ready() or (f"{self._group} wait: {', '.join(waiting)}" if waiting else None)

    async def run(self, handle: Handle, note_revoked: Callable[[], None]) -> None:
        """Gives every record to ``handle`` until cancelled, through outages of the broker.

        ``note_revoked`` is called when the partitions of this process are assigned anew: others may have had them meanwhile.
        """
        backoff = Backoff("consumer interrupted", first_seconds=1, max_seconds=1, group=self._group)
        try:
            await keep_running(partial(self._consume, handle, note_revoked), (Unavailable, *OUTAGES), backoff)
        finally:
            await self._producer.close()

    async def _consume(self, handle: Handle, note_revoked: Callable[[], None]) -> None:
        note_revoked()
        await self._ensure_topics()
        consumer = new_consumer(
            self._settings,
            self._group,
            group_id=f"{self._settings.topic_prefix}.{self._group}",
            group_instance_id=f"{self._group}-{self._settings.instance}",
            auto_offset_reset="earliest",
            max_poll_records=self._settings.subscription_batch_records,
        )
        try:
            await start(consumer)
            # Not before: the start would wait until every topic exists.
            consumer.subscribe(list(self._subscribed), listener=_Revocations(note_revoked))
            await self._poll(consumer, handle)
        finally:
            leave_unless_member(consumer)
            await stop_quietly(consumer)

    async def _poll(self, consumer: AIOKafkaConsumer, handle: Handle) -> None:
        batches = self._in_progress = BatchesInProgress(handle)
        committed = time.monotonic()
        try:
            while True:
                raise_if_cancelled()
                is_quick = self._readiness.had_partitions and not batches.partitions
                found = await self._fetched(consumer, 500 if is_quick else 50)
                self._readiness.note_assignment(consumer.assignment(), is_member=is_member(consumer))
                await batches.keep_only(consumer.assignment())
                paused = batches.partitions
                await batches.handle(found, _TOGETHER_SECONDS)
                consumer.pause(*(batches.partitions - paused))
                consumer.resume(*(paused - batches.partitions))
                if batches.done and time.monotonic() - committed > _COMMIT_SECONDS:
                    done, batches.done = batches.done, {}
                    await self._commit(consumer, done)
                    committed = time.monotonic()
        finally:
            await batches.keep_only(())

    async def _fetched(self, consumer: AIOKafkaConsumer, timeout_ms: int) -> Mapping[TopicPartition, Sequence[Any]]:
        """Returns the next records. Batches that the client cannot read are passed over, with an error in the log.

        Anybody who may write to a topic can send such a batch: with names of headers that are not UTF-8, or damaged.
        """
        try:
            found: Mapping[TopicPartition, Sequence[Any]] = await consumer.getmany(timeout_ms=timeout_ms)
        except _UNREADABLE as error:
            for tp in consumer.assignment():
                await self._pass_over(consumer, tp, error)
            return {}
        return found

    async def _pass_over(self, consumer: AIOKafkaConsumer, tp: TopicPartition, error: Exception) -> None:
        """Moves the consumer of a partition behind a batch that it cannot read, if there is one."""
        first = await consumer.position(tp)
        end, at = (await consumer.end_offsets([tp]))[tp], first
        while at < end:
            raise_if_cancelled()
            try:
                await consumer.getmany(tp, timeout_ms=200, max_records=1)
            except _UNREADABLE:
                at += 1
                consumer.seek(tp, at)
            else:
                break
        consumer.seek(tp, at)
        if at > first:
            UNREADABLE.labels(tp.topic).inc(at - first)
            _log.error(
                "records that cannot be read passed over",
                topic=tp.topic,
                partition=tp.partition,
                from_offset=first,
                to_offset=at - 1,
                why=describe(error),
            )

    async def _publish_dead_letter(self, record: Any, error: Exception, context: ContextName, letter: DeadLetterRecord) -> None:
        """Publishes what is kept of a record, with its place and the reason: these alone if it is too large.

        Raises `Unavailable`.
        """
        text = error.reasons[:_MAX_REASON] if isinstance(error, Invalid) else describe(error)
        why = f"{error.kind}: {text}" if isinstance(error, CaudalError) else text
        _log.warning("record parked", topic=record.topic, partition=record.partition, offset=record.offset, why=why)
        origin = origin_headers(context, place_of(record), why, self._group)
        own = [(name, value) for name, value in letter.headers if not name.startswith(PREFIX)]
        async with self._producer.connected() as producer:
            try:
                value = sendable(letter.key, letter.value)
                await producer.send_and_wait(letter.topic, value, letter.key, headers=[*own, *origin])
            except MessageSizeTooLargeError:  # the record came on a topic that takes larger ones
                await producer.send_and_wait(letter.topic, b"", None, headers=origin)

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: dict[Any, int]) -> None:
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions belong to another process now. It repeats these commands, and their receipts answer them.
            _log.warning("offsets not committed", group=self._group, why=str(error))


class CommandConsumer(RecordConsumer):
    """Consumes the commands topics of the contexts that the process serves."""

    def __init__(self, settings: Settings, catalog: Catalog, group: str) -> None:
        self._topics, served = Topics(settings, catalog), served_contexts(settings, catalog)
        subscribed = [self._topics.commands(context) for context in served]
        super().__init__(settings, group, subscribed, partial(ensure_topics, settings, catalog, served, OF_LOGS))

    def context_of(self, record: Any) -> ContextName:
        """Returns the context on whose commands topic a record arrived."""
        return self._topics.context_of(record.topic)

    async def park(self, record: Any, error: Exception, *, keep_value: bool = True) -> None:
        """Publishes a record that is not a command on its context's dead-letters topic, unchanged, with the reason.

        ``keep_value=False`` leaves its value out, which may hold personal data. Raises `Unavailable` if no broker
        acknowledges it.
        """
        context = self.context_of(record)
        value = record.value if keep_value else None
        kept = DeadLetterRecord(self._topics.dead_letters(context), record.key, value, record.headers)
        await self._publish_dead_letter(record, error, context, kept)

    async def record_at(self, topic: str, partition: int, offset: int) -> Any | None:
        """Returns the record of a partition at an offset, ``None`` if there is none; raises `Unavailable`."""
        tp = TopicPartition(topic, partition)
        async with connected_consumer(self._settings, "commands-check") as consumer:
            consumer.assign([tp])
            begin, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
            if not begin <= offset < end:
                return None
            consumer.seek(tp, offset)
            async for records in records_up_to(consumer, tp, offset + 1):
                return next((record for record in records if record.offset == offset), None)
        return None
