"""The feed of a live page: events of the log's topics become frames, in order, through an outage."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiokafka import TopicPartition

from deploy.flight_reservations import PAGES
from deploy.pages import feed as module
from deploy.pages.feed import Feed
from schemas.errors import Misconfigured, Unavailable
from schemas.flight_reservations.reservations import ReservationCancelled, ReservationLinked, ReservationRejected
from schemas.message import Event
from schemas.system import ContextName
from streams.broker.cloudevents import encode_event
from streams.discovery import installed_catalog
from streams.log.stored_events import StoredEvent, encode
from streams.settings import Settings
from tests.conftest import eventually

(PAGE,) = PAGES
CATALOG = installed_catalog(["flight_reservations"])
CONTEXT = ContextName("flight_reservations", "reservations")
TOPIC = "caudal.flight_reservations.reservations.events"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    headers: Sequence[tuple[str, bytes]]
    key: bytes
    value: bytes


def record(event: Event, partition: int, offset: int, seconds: float = 0) -> Record:
    data = encode(event)
    metadata = orjson.dumps({"command_id": str(uuid4()), "command": "c", "correlation_id": "x"}).decode()
    at = NOW + timedelta(seconds=seconds)
    row = StoredEvent(offset + 1, f"reservation-{partition}", 1, uuid4(), data.type, 1, partition, 0, at, data.data, metadata)
    sent = encode_event(row, CONTEXT)
    return Record(TOPIC, partition, offset, sent.headers, sent.key, sent.value)


def rejected(reason: str) -> ReservationRejected:
    return ReservationRejected(reservation_id=uuid4(), customer_id=None, reason=reason)


@dataclass
class Topic:
    """The partitions of one topic, and a consumer of them."""

    records: dict[int, list[Record]] = field(default_factory=lambda: {n: [] for n in range(4)})
    is_reachable: bool = True
    positions: dict[TopicPartition, int] = field(default_factory=dict)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        assert {tp.topic for tp in partitions} == {TOPIC}

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {tp: len(self.records[tp.partition]) for tp in partitions}

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.positions[tp] = offset

    async def position(self, tp: TopicPartition) -> int:
        return self.positions[tp]

    async def getmany(self, timeout_ms: int, max_records: int) -> Mapping[TopicPartition, Sequence[Record]]:
        if not self.is_reachable:
            raise Unavailable("no broker answers")
        await asyncio.sleep(0.001)
        found = {tp: self.records[tp.partition][at:] for tp, at in self.positions.items()}
        self.positions |= {tp: len(self.records[tp.partition]) for tp in found}
        return {tp: records for tp, records in found.items() if records}


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    topic = Topic()

    @asynccontextmanager
    async def connected(*_: Any, **__: Any) -> AsyncIterator[Topic]:
        if not topic.is_reachable:
            raise Unavailable("no broker answers")
        yield topic

    monkeypatch.setattr(module, "connected_consumer", connected)
    return topic


@asynccontextmanager
async def fed() -> AsyncIterator[Feed]:
    feed = Feed(PAGE, Settings(), CATALOG)
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def frames(feed: Feed, count: int) -> list[dict[str, Any]]:
    async def all_there() -> bool:
        return feed.history.end >= count

    await eventually(all_there, 10)
    kept = feed.history.after("all")
    return [orjson.loads((await anext(kept)).text) for _ in range(feed.history.end)]


async def test_what_is_there_comes_in_the_order_in_which_it_was_recorded_and_then_what_happens(topic: Topic) -> None:
    topic.records[0] = [record(rejected("second"), 0, 0, 2)]
    topic.records[1] = [record(rejected("first"), 1, 0, 1), record(rejected("third"), 1, 1, 3)]
    async with fed() as feed:
        assert await feed.why_not_ready() is not None
        assert [frame["data"]["error"] for frame in await frames(feed, 3)] == ["first", "second", "third"]
        assert await feed.why_not_ready() is None

        topic.records[2].append(record(rejected("fourth"), 2, 0, 0))
        assert [frame["data"]["error"] for frame in await frames(feed, 4)][3] == "fourth"


async def test_a_frame_is_the_record_of_the_integration_topic_with_its_type(topic: Topic) -> None:
    id = uuid4()
    event = ReservationCancelled(reservation_id=id, customer_id=None, created_at=NOW)
    topic.records[0] = [record(event, 0, 0)]
    async with fed() as feed:
        (frame,) = await frames(feed, 1)

    ms = int(NOW.timestamp() * 1000)
    assert list(frame) == ["id", "time", "ingestion", "specversion", "type", "datacontenttype", "service_name", "data"]
    assert (frame["time"], frame["type"]) == (ms, "EventoReservaCancelada")
    assert frame["data"] == {"id_reserva": str(id), "id_cliente": None, "estado": "CANCELADA", "fecha_creacion": ms}


async def test_other_events_and_damaged_records_are_passed_over(topic: Topic) -> None:
    other = record(ReservationLinked(customer_id=uuid4(), reservation_id=uuid4()), 0, 0)
    damaged = replace(record(rejected("damaged"), 0, 1), value=b"{")
    foreign = replace(record(rejected("foreign"), 0, 2), headers=())
    topic.records[0] = [other, damaged, foreign, record(rejected("sound"), 0, 3)]
    async with fed() as feed:
        assert [frame["data"]["error"] for frame in await frames(feed, 1)] == ["sound"]


async def test_an_outage_loses_and_repeats_nothing(topic: Topic) -> None:
    topic.records[0] = [record(rejected("before"), 0, 0)]
    async with fed() as feed:
        await frames(feed, 1)
        topic.is_reachable = False

        async def is_interrupted() -> bool:
            return await feed.why_not_ready() == "the broker is out of reach"

        await eventually(is_interrupted, 10)
        topic.records[0].append(record(rejected("meanwhile"), 0, 1))
        topic.is_reachable = True
        assert [frame["data"]["error"] for frame in await frames(feed, 2)] == ["before", "meanwhile"]
        assert await feed.why_not_ready() is None


async def test_a_topic_that_was_created_again_is_read_from_its_beginning(topic: Topic) -> None:
    topic.records[0] = [record(rejected("old"), 0, 0), record(rejected("older"), 0, 1)]
    async with fed() as feed:
        await frames(feed, 2)
        topic.is_reachable = False
        await asyncio.sleep(0.05)
        topic.records[0] = [record(rejected("new"), 0, 0)]
        topic.is_reachable = True
        assert [frame["data"]["error"] for frame in await frames(feed, 3)][2] == "new"


@pytest.mark.parametrize(
    ("topics", "why"),
    [(("eventos-hotel",), "shows eventos-hotel, which flight_reservations does not publish")],
)
def test_a_page_of_other_topics_is_misconfigured(topics: tuple[str, ...], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        Feed(replace(PAGE, topics=topics), Settings(), CATALOG)


def test_records_without_an_envelope_are_misconfigured() -> None:
    page = replace(PAGE, name="clinical_lab", topics=("event-topic",))
    with pytest.raises(Misconfigured, match="whose records have no envelope"):
        Feed(page, Settings(), installed_catalog(["clinical_lab"]))
