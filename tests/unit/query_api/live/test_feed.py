"""Live views: read once for all clients, complete for each of them, and no longer than their tokens are valid."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest

from query_api.live import feed as feeds
from query_api.live import watcher
from query_api.live.feed import Feed, LiveQuery
from query_api.live.limits import ConnectionLimit
from query_api.views.reader import ViewReader

Row = Mapping[str, Any]


class Rows(ViewReader):
    """A view whose rows change one by one, each in a transaction of its own."""

    def __init__(self) -> None:
        self.changed: list[Row] = []
        self.readings = 0

    def change(self, count: int = 1) -> None:
        self.changed += [{"n": len(self.changed) + n + 1} for n in range(count)]

    async def changed_after(self, transaction: int, limit: int) -> tuple[Sequence[Row], int]:
        self.readings += 1
        await asyncio.sleep(0)
        rows = self.changed[transaction : transaction + limit]
        return rows, min(transaction + limit, len(self.changed))


async def everything(rows: Sequence[Row]) -> list[Row]:
    return list(rows)


async def watch(feed: Feed, position: int, seconds: float, pause: float = 0, newest: int | None = None) -> list[int]:
    """Returns what a client gets within some seconds, after a transaction; ``newest``: the newest transaction of now."""
    seen: list[int] = []
    query = LiveQuery("ana", everything, time.time() + seconds)
    async for event in feed._events(position, position if newest is None else newest, query):
        assert isinstance(event.data, str)
        seen.append(orjson.loads(event.data)["n"])
        await asyncio.sleep(pause)
    return seen


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.mark.timeout(10)
async def test_a_live_view_ends_when_the_token_expires(rows: Rows) -> None:
    began = time.time()

    assert await watch(Feed(rows, ConnectionLimit(10)), 0, 0.3) == []
    assert time.time() - began >= 0.3


async def test_changes_are_read_once_for_any_number_of_clients(rows: Rows) -> None:
    feed = Feed(rows, ConnectionLimit(100))
    watchers = [asyncio.create_task(watch(feed, 0, 1.5)) for _ in range(50)]
    for _ in range(10):
        await asyncio.sleep(0.1)
        rows.change()

    assert await asyncio.gather(*watchers) == [list(range(1, 11))] * 50
    assert rows.readings < 40
    await asyncio.sleep(0.2)
    before = rows.readings
    await asyncio.sleep(0.3)
    assert rows.readings == before, "it still reads though there is no client"


async def test_a_client_that_returns_gets_what_it_missed_and_others_do_not_wait_for_it(rows: Rows) -> None:
    rows.change(1200)
    feed = Feed(rows, ConnectionLimit(10))
    back = asyncio.create_task(watch(feed, 7, 1, newest=1200))
    await asyncio.sleep(0.01)
    fresh = asyncio.create_task(watch(feed, 1200, 1))
    await asyncio.sleep(0.3)
    assert feed._position == 1200, "what one client has missed is not read for all"
    rows.change(3)

    assert await fresh == [1201, 1202, 1203]
    assert await back == list(range(8, 1204))


async def test_a_client_that_catches_up_is_cut_off_when_its_token_expires(rows: Rows) -> None:
    rows.change(10_000)
    began = time.time()

    seen = await watch(Feed(rows, ConnectionLimit(10)), 0, 0.3, pause=0.001, newest=10_000)

    assert time.time() - began < 2
    assert len(seen) < 10_000


async def test_an_older_database_is_read_from_its_beginning(rows: Rows) -> None:
    rows.change(50)
    feed = Feed(rows, ConnectionLimit(10))
    watching = asyncio.create_task(watch(feed, 50, 2.5))
    await asyncio.sleep(0.2)
    del rows.changed[20:]
    rows.changed[19] = {"n": -20}
    await asyncio.sleep(0.2)
    before = rows.readings
    back = asyncio.create_task(watch(feed, 0, 0.5, newest=20))

    assert (await back)[-1] == -20
    assert await watching == [*range(1, 20), -20]
    assert rows.readings - before < 30


async def test_a_slow_client_misses_nothing(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "MAX_WAITING", 2)
    monkeypatch.setattr(feeds, "_POLL_SECONDS", 0.01)
    feed = Feed(rows, ConnectionLimit(10))
    slow, quick = asyncio.create_task(watch(feed, 0, 2, pause=0.03)), asyncio.create_task(watch(feed, 0, 2))
    for _ in range(40):
        rows.change()
        await asyncio.sleep(0.015)

    assert await quick == list(range(1, 41))
    assert await slow == list(range(1, 41))
