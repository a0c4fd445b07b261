"""Records that are no commands, on the dead-letters topics of commands and of incoming integration topics."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition

from schemas.catalog import Catalog
from streams.broker.clients import connected_consumer, records_up_to
from streams.broker.cloudevents import place_of
from streams.broker.topic_names import Topics
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import PREFIX

_ORIGIN, _ERROR, _ID = f"{PREFIX}origin", f"{PREFIX}error", f"{PREFIX}id"
_SHOWN_BYTES = 4000


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that was no command, with the reason."""

    place: str
    """Its place on the dead-letters topic: ``topic/partition@offset``."""
    origin: str
    """The place at which it came."""
    error: str
    at: datetime
    """When it was parked."""
    size: int
    """Bytes of its value; 0 also for one that was not kept, because it may hold personal data."""
    beginning: bytes
    """The first bytes of its value, 4,000 at most."""


async def newest_parked(settings: Settings, catalog: Catalog, topic: str | None, limit: int) -> Sequence[ParkedRecord]:
    """Returns the newest parked records, the oldest first: at most ``limit`` of each partition of a dead-letters topic.

    ``topic`` is one on which they came; ``None``: all. The dead-letters topics are read as a whole. Raises `Unavailable`.
    """
    found: list[ParkedRecord] = []
    async with connected_consumer(settings, "parked-records") as consumer:
        existing = await consumer.topics()
        wanted = [one for one in _topics(settings, catalog) if one.name in existing and topic in (None, one.source)]
        for tp in [TopicPartition(one.name, number) for one in wanted for number in range(one.partitions)]:
            begin, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
            consumer.assign([tp])
            consumer.seek(tp, begin)
            newest: deque[ParkedRecord] = deque(maxlen=limit)
            async for records in records_up_to(consumer, tp, end):
                newest += [_parked(record) for record in records if _is_parked(record)]
            found += newest
    return sorted(found, key=lambda one: one.at)


@dataclass(frozen=True, slots=True)
class _Topic:
    """A dead-letters topic, and the topic whose records it has."""

    name: str
    source: str
    partitions: int


def _topics(settings: Settings, catalog: Catalog) -> Iterator[_Topic]:
    names = Topics(settings, catalog)
    for context, declared in catalog.contexts.items():
        yield _Topic(names.dead_letters(context), names.commands(context), declared.partitions)
        for incoming in catalog.incoming(context):
            source = names.integration(incoming.topic)
            yield _Topic(names.integration_dead_letters(incoming.topic), source, declared.partitions)


def _is_parked(record: Any) -> bool:
    """Returns whether it is no dead letter of a subscription, which is in a table, and came through Caudal."""
    given = dict(record.headers)
    return _ORIGIN in given and _ID not in given


def _parked(record: Any) -> ParkedRecord:
    given, value = dict(record.headers), record.value or b""
    return ParkedRecord(
        place_of(record),
        _text(given[_ORIGIN]),
        _text(given.get(_ERROR, b"")),
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
        len(value),
        value[:_SHOWN_BYTES],
    )


def _text(header: bytes) -> str:
    return header.decode(errors="replace")
