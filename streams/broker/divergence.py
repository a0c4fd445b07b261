"""Divergence: events that a topic holds and its log does not, because the log went back after they were published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import Malformed
from streams.broker.clients import records_up_to
from streams.broker.cloudevents import decode_event, timeline_of
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent
from streams.log.timelines import Timelines

_CHUNK_RECORDS = 1000
_NEWEST_RECORDS = 20


class Published(NamedTuple):
    """An event on a topic, and the timeline of its record."""

    event: StoredEvent
    timeline: int


@dataclass(frozen=True, slots=True)
class Divergence:
    """The difference between a topic and a log that went back."""

    shared: int
    """The highest position of an event that both have; 0 for none."""
    lost: Sequence[StoredEvent]
    """The events that only the topic has, in order."""
    newest_timeline: int
    """The highest timeline on the topic or of the log."""

    @property
    def lost_up_to(self) -> int:
        """The highest position of a lost event."""
        return self.lost[-1].position


async def is_ahead(log: ReadableLog, consumer: AIOKafkaConsumer, topic: str, timelines: Timelines) -> bool:
    """Returns whether a topic holds newer events than its log, or other ones at the same positions.

    It reads each partition backwards up to a record that is an event and not known to be lost. Raises the client's errors,
    `TimeoutError` and `Unavailable`.
    """
    newest = []
    for tp, (begin, end) in (await bounds(consumer, topic, len((await log.head()).partitions))).items():
        stop, step = end, _NEWEST_RECORDS
        while stop > begin:
            start = max(begin, stop - step)
            if found := await published(consumer, tp, start, stop, timelines):
                newest.append(max(found, key=lambda one: one.event.position))
                break
            stop, step = start, _CHUNK_RECORDS
    return bool(await missing(log, [one.event for one in newest]))


async def divergence(log: ReadableLog, consumer: AIOKafkaConsumer, topic: str, timelines: Timelines) -> Divergence | None:
    """Returns what a topic holds and its log does not; ``None`` if there is nothing.

    It reads each partition backwards up to the newest event that both have. Raises the client's errors, `TimeoutError` and
    `Unavailable`.
    """
    shared, lost, newest_timeline = 0, list[StoredEvent](), timelines.newest
    for tp, (begin, end) in (await bounds(consumer, topic, len((await log.head()).partitions))).items():
        for stop in range(end, begin, -_CHUNK_RECORDS):
            found = await published(consumer, tp, max(begin, stop - _CHUNK_RECORDS), stop, timelines)
            gone = {event.position: event for event in await missing(log, [one.event for one in found])}
            newest_timeline = max([newest_timeline, *(one.timeline for one in found)])
            lost += gone.values()
            held = [one.event.position for one in found if gone.get(one.event.position) != one.event]
            if held:
                shared = max(shared, *held)
                break
    if not lost:
        return None
    return Divergence(shared, sorted(lost, key=lambda event: event.position), newest_timeline)


async def missing(log: ReadableLog, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
    """Returns those of some published events that the log does not hold at their positions."""
    stored = {row.position: row.id for row in await log.read_positions([event.position for event in events])}
    return [event for event in events if stored.get(event.position) != event.id]


async def published(
    consumer: AIOKafkaConsumer, tp: TopicPartition, start: int, end: int, timelines: Timelines
) -> Sequence[Published]:
    """Returns the events in the records from one offset up to another, exclusive, without those that are known to be lost."""
    if start >= end:
        return []
    consumer.assign([tp])
    consumer.seek(tp, start)
    found = []
    async for records in records_up_to(consumer, tp, end):
        found += [one for record in records if (one := _published(record, timelines)) is not None]
    consumer.unsubscribe()
    return found


async def bounds(consumer: AIOKafkaConsumer, topic: str, partitions: int) -> Mapping[TopicPartition, tuple[int, int]]:
    """Returns the offset of each partition's first record, and the offset after its last."""
    tps = [TopicPartition(topic, partition) for partition in range(partitions)]
    begin = await consumer.beginning_offsets(tps)
    end = await consumer.end_offsets(tps)
    return {tp: (begin[tp], end[tp]) for tp in tps}


def _published(record: Any, timelines: Timelines) -> Published | None:
    try:
        event, timeline = decode_event(record), timeline_of(record)
    except Malformed:
        return None  # any program may have written to the topic
    return None if timelines.is_known_as_lost(timeline, event.position) else Published(event, timeline)
