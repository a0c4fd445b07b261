"""The position up to which a topic holds its log, read from the topic itself and not from the relay's cursor.

A broker may have lost its newest records, or all of them. When a relay connects, it reads the newest records of each
partition and compares them with the log. While it runs, it compares offsets, which must not go back.

::

    log of one partition      1   4   5   9   12      cursor 9
    topic of that partition   1   4   5   9   12      12 was acknowledged before the cursor moved: it is not published again
    a loss                    1   4   5               its newest record is 5: the relay resumes after 5
    a hole in the topic       1   4       9           9 says that 5 precedes it: the relay resumes after 4
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import Malformed
from streams.broker.clients import OUTAGES, records_up_to
from streams.broker.cloudevents import BACKFILLED, decode_event, timeline_of
from streams.broker.divergence import Divergence, divergence, missing
from streams.broker.publishing import Acknowledged
from streams.log.reading import ReadableLog, partition_events
from streams.log.stored_events import StoredEvent
from streams.log.timelines import Timelines

_CHECKED_RECORDS = 500
"""Number of a partition's newest records that are checked for holes, in addition to one batch of the relay."""
_FIRST_SPAN = 1000


class BehindTheLog(Exception):
    """The topic does not hold records that it has acknowledged: the broker has lost data."""


class Diverged(Exception):
    """The topic holds events that the log does not: the log went back."""

    def __init__(self, found: Divergence) -> None:
        super().__init__(f"the topic holds {len(found.lost)} events after position {found.shared} that the log does not")
        self.found = found


@dataclass(frozen=True, slots=True)
class Resumption:
    """The place from which a relay resumes."""

    after: int
    """The position after which to read the log: the cursor, or a lower one if the topic lacks events below it."""
    held: Sequence[int | None]
    """Position up to which the topic holds the events of each partition; ``None`` if the broker does not answer for it."""


class TopicPosition:
    """The part of a log that its topic of events holds."""

    def __init__(self, log: ReadableLog, topic: str, batch_events: int) -> None:
        """``batch_events`` is the largest number of events that the relay publishes at a time."""
        self._log, self._topic = log, topic
        self._checked_records = batch_events + _CHECKED_RECORDS
        self._offsets: dict[int, int] = {}
        """The offset of the newest record, by partition."""
        self._timelines = Timelines()
        self._newest: list[StoredEvent] = []
        """The event with the highest position of each partition, when the relay connected."""

    async def resume_at(self, consumer: AIOKafkaConsumer, cursor: int, timelines: Timelines) -> Resumption:
        """Returns where to resume, by what the topic holds.

        Raises `Diverged` if the topic holds events that the log does not, and the client's errors if the broker does not answer
        for any partition.
        """
        head = await self._log.head()
        resume, found = cursor, list[int | None]()
        self._offsets, self._timelines, self._newest = {}, timelines, []
        ends = await self._ends(consumer, range(len(head.partitions)))
        for partition, newest in enumerate(head.partitions):
            if partition not in ends:
                found.append(None)
                continue
            held = await self._newest_held(consumer, partition, ends[partition], cursor)
            found.append(held)
            consumer.unsubscribe()
            if held < min(newest, await self._expected(partition, newest, cursor)):
                resume = min(resume, held)
        if await missing(self._log, self._newest) and (lost := await divergence(self._log, consumer, self._topic, timelines)):
            raise Diverged(lost)
        return Resumption(resume, found)

    async def is_readable(self, consumer: AIOKafkaConsumer, partition: int) -> bool:
        """Returns whether the broker answers for a partition."""
        try:
            await consumer.end_offsets([TopicPartition(self._topic, partition)])
        except OUTAGES:
            return False
        return True

    def note(self, acknowledged: Sequence[Acknowledged]) -> None:
        """Notes the offsets of published batches; raises `BehindTheLog` if an offset is not above the previous ones."""
        for batch in acknowledged:
            if batch.first <= self._offsets.get(batch.partition, -1):
                raise BehindTheLog(f"{self._topic} went back to offset {batch.first}: the broker has lost records")
            self._offsets[batch.partition] = batch.last

    async def check(self, consumer: AIOKafkaConsumer) -> None:
        """Raises `BehindTheLog` if a partition ends below the newest offset that is known of it, and the client's errors."""
        ends = await consumer.end_offsets([TopicPartition(self._topic, partition) for partition in self._offsets])
        for tp, end in ends.items():
            if end <= self._offsets[tp.partition]:
                raise BehindTheLog(f"{self._topic}/{tp.partition} ends at offset {end}: the broker has lost records")

    async def _ends(self, consumer: AIOKafkaConsumer, partitions: Sequence[int]) -> Mapping[int, int]:
        """Returns the offset after the last record of each partition that the broker answers for; it may answer for some alone.

        Raises the client's errors if the broker answers for none.
        """
        tps = [TopicPartition(self._topic, partition) for partition in partitions]
        try:
            found = await consumer.end_offsets(tps)
        except OUTAGES:
            answers = await asyncio.gather(*(consumer.end_offsets([tp]) for tp in tps), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, OUTAGES):
                    raise answer from None
            found = {tp: end for answer in answers if not isinstance(answer, BaseException) for tp, end in answer.items()}
            if not found:
                raise
        return {tp.partition: end for tp, end in found.items()}

    async def _expected(self, partition: int, newest: int, cursor: int) -> int:
        """Returns the position of the partition's newest event at or below the cursor; 0 for none."""
        if newest <= cursor:
            return newest
        # The events above the cursor are not published yet: search backwards for the last one below it.
        up_to, span = cursor, _FIRST_SPAN
        while up_to > 0:
            newest = 0
            async for rows in partition_events(self._log, partition, max(0, up_to - span), up_to):
                newest = rows[-1].position
            if newest:
                return newest
            up_to, span = up_to - span, span * 2
        return 0

    async def _newest_held(self, consumer: AIOKafkaConsumer, partition: int, end: int, cursor: int) -> int:
        """Returns the position up to which a partition of the topic holds its events, by its newest records; 0 for none.

        ``end`` is the offset after its last record. Records behind a hole do not count until it is filled: another program that
        writes to a topic must not hide a loss.
        """
        tp = TopicPartition(self._topic, partition)
        self._offsets[partition] = end - 1
        start = (await consumer.beginning_offsets([tp]))[tp]
        if end == start:
            # Offsets never go back: above 0, retention has emptied the partition; at 0, nothing was ever published.
            return cursor if end else 0
        first = max(start, end - self._checked_records)
        consumer.assign([tp])
        consumer.seek(tp, first)
        begin = 0 if first == 0 else None
        held: list[tuple[int, int]] = []
        highest: StoredEvent | None = None
        async for records in records_up_to(consumer, tp, end):
            for record in records:
                try:
                    event, timeline = decode_event(record), timeline_of(record)
                except Malformed:
                    continue  # any program may have written to the topic
                if self._timelines.is_known_as_lost(timeline, event.position):
                    continue
                highest = event if highest is None or event.position > highest.position else highest
                if begin is None and BACKFILLED not in record.headers:
                    begin = event.position
                held.append((event.position, event.previous))
        if highest is not None:
            self._newest.append(highest)
        return unbroken_up_to(sorted(held), begin)


def unbroken_up_to(held: Sequence[tuple[int, int]], begin: int | None) -> int:
    """Returns up to which position events follow each other without a hole, from ``begin`` or else from the first.

    ``held`` are the events' positions in order, each with the position of its predecessor in the partition.
    """
    reached = (held[0][0] if held else 0) if begin is None else begin
    for position, previous in held:
        if previous > reached:
            break
        reached = max(reached, position)
    return reached
