"""Live views: read once for all who watch, whole for each of them, and no longer than they are believed."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import orjson
import pytest

from query_api.live import feed as live
from query_api.live.feed import Audience, Feed, Watching
from query_api.views.reader import ViewReader
from schemas.errors import TooManyRequests, Unavailable

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


async def watch(feed: Feed, since: int, seconds: float, pause: float = 0, now: int | None = None) -> list[int]:
    """What somebody sees within a time, from a transaction on; ``now``: up to which everything has happened."""
    seen: list[int] = []
    watching = Watching("ana", everything, time.time() + seconds)
    async for event in feed._events(since, since if now is None else now, watching):
        assert isinstance(event.data, str)
        seen.append(orjson.loads(event.data)["n"])
        await asyncio.sleep(pause)
    return seen


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.mark.timeout(10)
async def test_it_ends_when_the_token_expires(rows: Rows) -> None:
    began = time.time()

    assert await watch(Feed(rows, Audience(10)), 0, 0.3) == []
    assert time.time() - began >= 0.3


async def test_however_many_watch_changes_are_read_once(rows: Rows) -> None:
    feed = Feed(rows, Audience(100))
    watchers = [asyncio.create_task(watch(feed, 0, 1.5)) for _ in range(50)]
    for _ in range(10):
        await asyncio.sleep(0.1)
        rows.change()

    assert await asyncio.gather(*watchers) == [list(range(1, 11))] * 50
    assert rows.readings < 40
    await asyncio.sleep(0.2)
    before = rows.readings
    await asyncio.sleep(0.3)
    assert rows.readings == before, "nobody watches any more"


async def test_who_comes_back_gets_what_was_missed_and_others_are_not_held_up(rows: Rows) -> None:
    rows.change(1200)
    feed = Feed(rows, Audience(10))
    back = asyncio.create_task(watch(feed, 7, 1, now=1200))
    await asyncio.sleep(0.01)
    fresh = asyncio.create_task(watch(feed, 1200, 1))
    await asyncio.sleep(0.3)
    assert feed._since == 1200, "nobody else reads what one has missed"
    rows.change(3)

    assert await fresh == [1201, 1202, 1203]
    assert await back == list(range(8, 1204))


async def test_who_is_believed_no_more_gets_nothing_of_what_was_missed(rows: Rows) -> None:
    rows.change(10_000)
    began = time.time()

    seen = await watch(Feed(rows, Audience(10)), 0, 0.3, pause=0.001, now=10_000)

    assert time.time() - began < 2
    assert len(seen) < 10_000


async def test_an_older_database_is_read_from_its_beginning(rows: Rows) -> None:
    rows.change(50)
    feed = Feed(rows, Audience(10))
    watching = asyncio.create_task(watch(feed, 50, 2.5))
    await asyncio.sleep(0.2)
    del rows.changed[20:]
    rows.changed[19] = {"n": -20}
    await asyncio.sleep(0.2)
    before = rows.readings
    back = asyncio.create_task(watch(feed, 0, 0.5, now=20))

    assert (await back)[-1] == -20
    assert await watching == [*range(1, 20), -20]
    assert rows.readings - before < 30


async def test_a_slow_watcher_misses_nothing(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_MAX_WAITING", 2)
    monkeypatch.setattr(live, "_POLL_SECONDS", 0.01)
    feed = Feed(rows, Audience(10))
    slow, quick = asyncio.create_task(watch(feed, 0, 2, pause=0.03)), asyncio.create_task(watch(feed, 0, 2))
    for _ in range(40):
        rows.change()
        await asyncio.sleep(0.015)

    assert await quick == list(range(1, 41))
    assert await slow == list(range(1, 41))


def test_there_is_room_for_so_many_and_so_many_of_one_caller() -> None:
    audience = Audience(20)
    with ExitStack() as seats:
        for name in ("ana", "ana", "eva"):
            seats.enter_context(audience.seated(name))
        with pytest.raises(TooManyRequests), audience.seated("ana"):
            pass
    with ExitStack() as seats:
        for n in range(20):
            seats.enter_context(audience.seated(str(n)))
        with pytest.raises(Unavailable), audience.seated("eva"):
            pass
    with audience.seated("eva"):
        pass
