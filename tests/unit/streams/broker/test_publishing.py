"""Publishing: each event in its partition, in order, in the client's batches."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from schemas.system import ContextName
from streams.broker.cloudevents import BACKFILLED
from streams.broker.publishing import Acknowledged, publish, publish_partition
from streams.log.stored_events import StoredEvent

INGESTION = ContextName("data_ingestion", "ingestion")


def row(position: int, partition: int) -> StoredEvent:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return StoredEvent(position, f"s-{position}", 1, UUID(int=1), "E", 1, partition, 0, at, "{}", "{}")


class FakeBatch:
    """Takes two records."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def append(self, **record: Any) -> Any:
        if len(self.records) == 2:
            return None
        self.records.append(record)
        return record


class FakeProducer:
    """Acknowledges batches, with offsets from 10 in each partition, and rejects those that hold certain keys."""

    def __init__(self, rejected: Collection[bytes] = ()) -> None:
        self.sent: dict[int, list[Any]] = {}
        self._rejected = rejected

    def create_batch(self) -> FakeBatch:
        return FakeBatch()

    async def send_batch(self, batch: FakeBatch, topic: str, partition: int) -> "asyncio.Future[Any]":
        records = self.sent.setdefault(partition, [])
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if any(record["key"] in self._rejected for record in batch.records):
            done.set_exception(MessageSizeTooLargeError())
            return done
        done.set_result(SimpleNamespace(offset=10 + len(records)))
        records += batch.records
        return done


async def test_events_are_published_in_order_and_their_offsets_returned() -> None:
    producer: Any = FakeProducer()

    acknowledged = await publish(producer, "t", INGESTION, [row(1, 0), row(2, 1), row(3, 0), row(4, 0)])

    assert {n: [record["key"] for record in records] for n, records in producer.sent.items()} == {
        0: [b"s-1", b"s-3", b"s-4"],
        1: [b"s-2"],
    }
    assert sorted(acknowledged) == [
        Acknowledged(0, 10, 11, 3),
        Acknowledged(0, 12, 12, 4),
        Acknowledged(1, 10, 10, 2),
    ]


async def test_further_headers_are_on_every_record() -> None:
    producer: Any = FakeProducer()

    await publish(producer, "t", INGESTION, [row(1, 0), row(2, 0), row(3, 0)], [BACKFILLED])

    assert [BACKFILLED in record["headers"] for record in producer.sent[0]] == [True] * 3


async def test_nothing_is_published_behind_a_batch_that_is_rejected() -> None:
    producer: Any = FakeProducer(rejected=[b"s-4"])
    acknowledged: list[Acknowledged] = []

    with pytest.raises(MessageSizeTooLargeError):
        async for batch in publish_partition(producer, "t", INGESTION, [row(n, 0) for n in range(1, 8)], lambda _: ()):
            acknowledged.append(batch)

    assert acknowledged == [Acknowledged(0, 10, 11, 2)]
    assert [record["key"] for record in producer.sent[0]] == [b"s-1", b"s-2"]
