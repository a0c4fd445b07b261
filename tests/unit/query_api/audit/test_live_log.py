"""Live logs: complete, resumable, and honest about a log that was restored."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from query_api.audit.live_log import LastEvent, follow_log
from schemas.data_ingestion.validation import SchemaRegistered
from schemas.errors import Malformed, Unavailable
from schemas.system import ContextName
from streams.log.reading import Head
from streams.log.search import Conditions
from streams.log.stored_events import StoredEvent
from streams.log.timelines import Timeline, Timelines
from tests.unit.query_api.audit.event_log import EventLog


class RestoredLog(EventLog):
    """A log that can go back and begin a timeline."""

    def __init__(self) -> None:
        super().__init__(ContextName("data_ingestion", "validation"))
        self.later: tuple[Timeline, ...] = ()
        self.is_out_of_reach = False

    def grow(self, count: int = 1, stream: str = "rulebook-a") -> None:
        for _ in range(count):
            self.add(stream, SchemaRegistered(partner_id="a", json_schema={}))

    def go_back(self, to: int) -> None:
        del self.rows[to:]
        self.later = (Timeline(2, to, to + 5, datetime.now(UTC), None),)

    async def head(self) -> Head:
        if self.is_out_of_reach:
            raise Unavailable("the database is out of reach")
        return await super().head()

    async def read_positions(self, positions: Sequence[int]) -> Sequence[StoredEvent]:
        return [row for row in self.rows if row.position in positions]

    async def timelines(self) -> Timelines:
        return Timelines(self.later)


@pytest.fixture
def log() -> RestoredLog:
    log = RestoredLog()
    log.grow(3)
    return log


async def followed(
    log: RestoredLog, after: int | LastEvent | None, seconds: float = 0.4, conditions: Conditions | None = None
) -> list[tuple[str, int]]:
    """Returns the events that a client gets within some seconds, each with its position."""
    found = []
    async for event in await follow_log(log, conditions or Conditions(), after, time.time() + seconds):
        data = orjson.loads(str(event.data))
        found.append((str(event.event), data["after"] if event.event == "restored" else data["position"]))
    return found


def last(log: RestoredLog, position: int) -> LastEvent:
    return LastEvent(position, log.rows[position - 1].id)


async def test_events_come_from_now_on_or_from_a_position(log: RestoredLog) -> None:
    tasks = [asyncio.create_task(followed(log, after, 0.8)) for after in (None, 1, last(log, 2))]
    await asyncio.sleep(0.1)
    log.grow()

    new, above, resumed = await asyncio.gather(*tasks)

    assert new == [("event", 4)]
    assert above == [("event", 2), ("event", 3), ("event", 4)]
    assert resumed == [("event", 3), ("event", 4)]


async def test_only_events_that_meet_the_conditions_are_sent(log: RestoredLog) -> None:
    log.grow(2, "rulebook-b")

    assert await followed(log, 0, conditions=Conditions(stream="rulebook-b")) == [("event", 4), ("event", 5)]


async def test_a_client_learns_from_where_a_restored_log_differs(log: RestoredLog) -> None:
    had = last(log, 3)
    log.go_back(1)
    log.grow(3)

    assert await followed(log, had) == [("restored", 1), ("event", 2), ("event", 3), ("event", 4)]


async def test_a_log_that_goes_back_while_it_is_followed_says_so(log: RestoredLog) -> None:
    following = asyncio.create_task(followed(log, None, 1.2))
    await asyncio.sleep(0.1)
    log.go_back(2)
    await asyncio.sleep(0.5)
    log.grow()

    assert await following == [("restored", 2), ("event", 3)]


async def test_the_stream_ends_when_the_database_is_out_of_reach(log: RestoredLog) -> None:
    following = asyncio.create_task(followed(log, None, 60))
    await asyncio.sleep(0.1)
    log.is_out_of_reach = True

    assert await asyncio.wait_for(following, 5) == []
    with pytest.raises(Unavailable):
        await follow_log(log, Conditions(), None, float("inf"))


@pytest.mark.parametrize(
    "text", ["", "1", "0:" + str(UUID(int=1)), "1:" + "-" * 36, f"{10**18}:{UUID(int=1)}", "٣:" + "0" * 36]
)
def test_an_id_that_no_stream_gave_is_rejected(text: str) -> None:
    with pytest.raises(Malformed, match="Last-Event-ID"):
        LastEvent.parse(text)


def test_an_id_is_read_as_it_was_written() -> None:
    one = LastEvent(7, UUID(int=3))

    assert LastEvent.parse(str(one)) == one
