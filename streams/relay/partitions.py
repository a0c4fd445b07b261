"""The partitions of a topic, each published on its own: one that accepts no events does not hold up the others.

::

    log            1  2  3  4  5  6  7  8  9
    partition 0    1     3           7          acknowledged up to 7
    partition 1       2     4  5        8  9    acknowledged up to 4; 5 is rejected, 8 and 9 wait behind it
    cursor                  4                   everything up to here is acknowledged, some events above it as well

The events of all partitions are published together until one of them fails. From then on the events of that partition are
left out, and a task of its own publishes them from the log, with a producer of its own: the broker has missed records of the
common one, and accepts no others of it. When nothing is left out any more, the partition is published with the others again.
A process never sends an event again while its acknowledgement may still come, and none does after it.
The decision: docs/decisions/0025-partitions-are-published-on-their-own.md.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError, LeaderNotAvailableError, MessageSizeTooLargeError, RecordListTooLargeError
from prometheus_client import Counter, Gauge

from schemas.errors import Unavailable
from streams.broker.clients import OUTAGES, started_producer, stop_quietly
from streams.broker.cloudevents import Headers
from streams.broker.publishing import by_partition, publish_partition
from streams.integration_topics.publishing import publish_records
from streams.integration_topics.records import IntegrationRecords
from streams.log.reading import ReadableLog, partition_events
from streams.log.stored_events import StoredEvent
from streams.relay.topic_position import TopicPosition
from streams.settings import Settings
from streams.telemetry.retrying import Backoff, raise_if_cancelled, reason
from streams.telemetry.tracing import note_events

_log = structlog.get_logger()
PUBLISHED = Counter("caudal_relay_events", "Events that the broker has acknowledged.", ["context"])
BLOCKED = Gauge("caudal_relay_blocked_partitions", "Partitions of a topic whose events wait: they accept none.", ["context"])

_OF_RECORDS = (MessageSizeTooLargeError, RecordListTooLargeError)
"""Errors that are about the records of a batch, and say nothing about the broker."""
_LOOK_SECONDS = 1.0


@dataclass(slots=True)
class _Partition:
    number: int
    acknowledged: int
    """Position up to which the topic holds the partition's events."""
    is_readable: bool
    """Whether the broker answers for it; if not, the position is not known."""
    is_apart: bool
    """Whether its events are left out: it has failed, or the broker does not answer for it."""
    problem: str = ""
    first_left_out: StoredEvent | None = None
    """The first event that was left out and is not known to be acknowledged; ``None`` if none is left out."""
    left_out_up_to: int = 0
    is_out_of_step: bool = False
    """Whether the common producer cannot be used any more: a batch of it was rejected."""
    producer: AIOKafkaProducer | None = None
    """A producer of its own."""

    def leave_out(self, rows: Sequence[StoredEvent]) -> None:
        if left := [row for row in rows if row.position > self.acknowledged]:
            self.first_left_out = self.first_left_out or left[0]
            self.left_out_up_to = left[-1].position


class Partitions:
    """The partitions of one context's topic of events."""

    def __init__(
        self,
        settings: Settings,
        log: ReadableLog,
        topic: str,
        position: TopicPosition,
        headers_of: Callable[[StoredEvent], Headers],
    ) -> None:
        """``headers_of`` returns the headers that an event's record has beside those of the event."""
        self._integration: IntegrationRecords | None = None
        self._settings, self._log, self._topic = settings, log, topic
        self._position, self._headers_of = position, headers_of
        self._partitions: list[_Partition] = []
        self._producer: AIOKafkaProducer | None = None
        self._failed: dict[int, str] = {}
        """The partitions that failed and have not been published since, with the reason; kept beyond a connection."""
        self._sending: set[asyncio.Task[None]] = set()
        self._apart: set[asyncio.Task[None]] = set()

    def begin(
        self,
        producer: AIOKafkaProducer,
        consumer: AIOKafkaConsumer,
        held: Sequence[int | None],
        integration: IntegrationRecords,
    ) -> None:
        """Begins with new clients. ``held`` is the position up to which the topic holds the events of each partition.

        A partition with ``None`` waits until the broker answers for it. What follows from events on integration topics is
        published before the events.
        """
        self._producer, self._integration = producer, integration
        self._partitions = [
            _Partition(number, at or 0, at is not None, at is None or number in self._failed, self._failed.get(number, ""))
            for number, at in enumerate(held)
        ]
        for partition in self._partitions:
            if not partition.is_readable:
                partition.problem = "the broker does not answer for it"
                self._start_apart(self._raise_when_readable(partition.number, consumer))

    async def publish(self, rows: Sequence[StoredEvent]) -> None:
        """Publishes rows, those of each partition in order and without those that the topic holds.

        Returns when the events of all partitions are acknowledged, apart from those of a partition that fails: they are left
        out. Raises `BehindTheLog`, and the client's errors if they are about the broker and not about one partition.
        """
        sending: dict[asyncio.Task[None], tuple[_Partition, list[StoredEvent]]] = {}
        for number, own in by_partition(rows).items():
            partition = self._partitions[number]
            if partition.is_apart:
                self._leave_out(partition, own)
            elif new := [row for row in own if row.position > partition.acknowledged]:
                sending[asyncio.create_task(self._send(partition, new))] = partition, new
        if sending:
            self._sending |= set(sending)
            await self._wait_for_acknowledgements(sending)

    def reached(self, read: int) -> int:
        """Returns the position up to which all events are acknowledged, if the log was read up to ``read``."""
        return min([read, *(max(one.acknowledged, first.position - 1) for one, first in self._blocked())])

    def oldest_at(self) -> datetime | None:
        """Returns when the oldest event that waits in a blocked partition was recorded; ``None`` if there is none."""
        return min((first.recorded_at for _, first in self._blocked()), default=None)

    def problem(self) -> str | None:
        """Returns which partitions accept no events, and why; ``None`` if there is none."""
        found = [
            f"partition {one.number} of {self._topic} is not published from position {first.position} on: {one.problem}"
            for one, first in self._blocked()
        ]
        return "; ".join(found) or None

    def report(self) -> None:
        """Sets the metric of blocked partitions; raises what the tasks of blocked partitions have raised."""
        BLOCKED.labels(str(self._log.context)).set(sum(1 for _ in self._blocked()))
        for task in [task for task in self._apart if task.done()]:
            self._apart.discard(task)
            task.result()

    async def stop(self) -> None:
        """Cancels what is being sent, and stops the producers of blocked partitions."""
        tasks, self._sending, self._apart = [*self._sending, *self._apart], set(), set()
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            producers = [one.producer for one in self._partitions if one.producer is not None]
            self._partitions = []
            await stop_quietly(*producers)

    def _blocked(self) -> Iterator[tuple[_Partition, StoredEvent]]:
        return ((one, one.first_left_out) for one in self._partitions if one.first_left_out is not None)

    async def _send(self, partition: _Partition, rows: Sequence[StoredEvent]) -> None:
        """Publishes rows of one partition, and moves its position with each batch that is acknowledged."""
        producer, context, sent, began = partition.producer or self._producer, self._log.context, 0, time.time_ns()
        assert producer is not None, "publishing has begun"
        assert self._integration is not None, "publishing has begun"
        await publish_records(producer, self._integration, rows)
        async for batch in publish_partition(producer, self._topic, context, rows, self._headers_of):
            self._position.note([batch])
            partition.acknowledged = batch.position
            some = rows[sent : sent + batch.last - batch.first + 1]
            sent += len(some)
            PUBLISHED.labels(str(context)).inc(len(some))
            note_events(f"publish {context}", some, began, "publish")

    async def _wait_for_acknowledgements(
        self, sending: Mapping[asyncio.Task[None], tuple[_Partition, list[StoredEvent]]]
    ) -> None:
        """Waits for the acknowledgements of what is being sent, and sets the partitions apart that fail."""
        seconds = self._settings.broker_timeout_seconds
        await asyncio.wait(sending, timeout=seconds)
        late = KafkaTimeoutError(f"the broker has not answered within {seconds:g} s")
        errors = {task: error for task in sending if (error := task.exception() if task.done() else late) is not None}
        for error in errors.values():
            if not isinstance(error, OUTAGES):
                raise error
        for task, error in errors.items():
            partition, _ = sending[task]
            self._failed[partition.number] = partition.problem = reason(error)
        is_about_the_broker = len(errors) == len(sending) and not all(
            isinstance(error, _OF_RECORDS) for error in errors.values()
        )
        for task, error in errors.items():
            if is_about_the_broker:
                raise error  # after the next start, these partitions do not hold up the others
            partition, rows = sending[task]
            partition.is_apart = partition.is_out_of_step = True
            self._leave_out(partition, rows, None if task.done() else task)
        self._sending = {task for task in self._sending if not task.done()}

    def _leave_out(self, partition: _Partition, rows: Sequence[StoredEvent], sent: asyncio.Task[None] | None = None) -> None:
        """Leaves rows out; ``sent`` is the task that still waits for their acknowledgement."""
        is_first = partition.first_left_out is None
        partition.leave_out(rows)
        if is_first and partition.first_left_out is not None and partition.is_readable:
            self._start_apart(self._publish_apart(partition, sent))

    def _start_apart(self, work: Coroutine[Any, Any, None]) -> None:
        self._apart.add(asyncio.create_task(work))

    async def _publish_apart(self, partition: _Partition, sent: asyncio.Task[None] | None) -> None:
        """Publishes what was left out of a partition, until nothing is: one event first, so that the one at fault is known."""
        if sent is not None:
            await asyncio.wait([sent])
            if (error := sent.exception()) is not None and not isinstance(error, OUTAGES):
                raise error
        backoff = Backoff("partition not published", topic=self._topic, partition=partition.number)
        size = 1
        while partition.acknowledged < partition.left_out_up_to or await self._replaced_producer(partition):
            raise_if_cancelled()
            try:
                rows = await self._next(partition, size)
                if partition.producer is None:
                    partition.producer = await started_producer(self._settings, "relay")
                await self._send(partition, rows)
            except (Unavailable, *OUTAGES) as error:
                await self._stop_producer(partition)
                if size == 1:
                    partition.problem = self._failed[partition.number] = reason(error)
                    await backoff.wait(error)
                size = 1
            else:
                size = min(2 * size, self._settings.relay_batch_events)
                backoff.reset()
        partition.first_left_out, partition.is_apart = None, False
        self._failed.pop(partition.number, None)
        _log.info("partition published again", topic=self._topic, partition=partition.number, up_to=partition.acknowledged)

    async def _next(self, partition: _Partition, limit: int) -> Sequence[StoredEvent]:
        """Returns the next rows of a partition that were left out, at most ``limit``."""
        after, up_to = partition.acknowledged, partition.left_out_up_to
        if partition.first_left_out is not None:
            after = max(after, partition.first_left_out.position - 1)
        async for rows in partition_events(self._log, partition.number, after, up_to, limit):
            partition.first_left_out = rows[0]
            return rows
        raise Unavailable(f"the log of {self._log.context} lacks its event {up_to}, which it held before")

    async def _replaced_producer(self, partition: _Partition) -> bool:
        """Stops a partition's own producer if the common one can be used again; returns whether it did, which takes a while."""
        if partition.is_out_of_step or partition.producer is None:
            return False
        await self._stop_producer(partition)
        return True

    async def _stop_producer(self, partition: _Partition) -> None:
        producer, partition.producer = partition.producer, None
        if producer is not None:
            await stop_quietly(producer)

    async def _raise_when_readable(self, partition: int, consumer: AIOKafkaConsumer) -> None:
        """Raises an error of the client, after which the relay begins anew, when the broker answers for a partition again."""
        while True:
            raise_if_cancelled()
            await asyncio.sleep(_LOOK_SECONDS)
            if await self._position.is_readable(consumer, partition):
                raise LeaderNotAvailableError(f"{self._topic}/{partition} had no leader, and has one now")
