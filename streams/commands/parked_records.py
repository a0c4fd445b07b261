"""Records that are no commands, on the dead-letters topics of commands and of incoming integration topics."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition

from schemas.catalog import Catalog
from streams.broker.clients import ResilientProducer, connected_consumer, records_up_to
from streams.broker.cloudevents import Headers, place_of
from streams.broker.topic_names import Topics
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import PREFIX

_ORIGIN, _ERROR, _ID = f"{PREFIX}origin", f"{PREFIX}error", f"{PREFIX}id"


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record as it came, with the reason for which it is no command."""

    place: str
    """Its place on the dead-letters topic: ``topic/partition@offset``."""
    topic: str
    """The topic on which it came."""
    partition: int
    origin: str
    """The place at which it came first."""
    error: str
    at: datetime
    """When it was parked."""
    key: bytes | None
    value: bytes | None
    """``None`` or empty if it may hold personal data, which is not kept."""
    headers: Headers
    """Those with which it came, and its origin."""


async def newest_parked(settings: Settings, catalog: Catalog, limit: int) -> Sequence[ParkedRecord]:
    """Returns the newest parked records of every dead-letters topic, the oldest first: at most ``limit`` of a partition.

    Raises `Unavailable` without a broker.
    """
    topics = dict(_topics(settings, catalog))
    found: list[ParkedRecord] = []
    async with connected_consumer(settings, "parked-records") as consumer:
        existing = await consumer.topics()
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            if topic in existing
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        consumer.assign(partitions)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        for tp in partitions:
            consumer.seek(tp, max(begins[tp], ends[tp] - limit))
            async for records in records_up_to(consumer, tp, ends[tp]):
                found += _parked(records, topics[tp.topic])
    return sorted(found, key=lambda one: one.at)


async def send_again(records: Iterable[ParkedRecord], settings: Settings) -> None:
    """Sends records to the partitions on which they came; each is handled once, however often it is sent.

    Raises `Unavailable`.
    """
    producer_of_records = ResilientProducer(settings, "parked-records")
    try:
        async with producer_of_records.connected() as producer:
            sent = [
                await producer.send(one.topic, one.value, one.key, partition=one.partition, headers=list(one.headers))
                for one in records
            ]
            await asyncio.gather(*sent)
    finally:
        await producer_of_records.close()


def _topics(settings: Settings, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yields each dead-letters topic with the topic whose records it has."""
    names = Topics(settings, catalog)
    for context in catalog.contexts:
        yield names.dead_letters(context), names.commands(context)
        for incoming in catalog.incoming(context):
            yield names.integration_dead_letters(incoming.topic), names.integration(incoming.topic)


def _parked(records: Iterable[Any], topic: str) -> Iterator[ParkedRecord]:
    for record in records:
        given = dict(record.headers)
        if _ID in given or _ORIGIN not in given:
            continue  # the dead letter of a subscription, which is in a table; or nothing of Caudal's
        origin = given[_ORIGIN].decode(errors="replace")
        partition = re.search(r"/(\d{1,9})@\d+$", origin, re.ASCII)
        yield ParkedRecord(
            place_of(record),
            topic,
            record.partition if partition is None else int(partition[1]),
            origin,
            given.get(_ERROR, b"").decode(errors="replace"),
            datetime.fromtimestamp(record.timestamp / 1000, UTC),
            record.key,
            record.value,
            [(name, value) for name, value in record.headers if name == _ORIGIN or not name.startswith(PREFIX)],
        )
