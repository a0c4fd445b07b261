"""Live views: read once for all who watch, whole for each of them, and no longer than they are believed."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest

from query_api import live
from query_api.live import Audience, Feed, Watching
from query_api.views import ViewReader
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
        return rows, transaction + len(rows)


async def everything(rows: Sequence[Row]) -> list[Row]:
    return list(rows)


async def watch(feed: Feed, since: int, seconds: float, pause: float = 0) -> list[int]:
    """What somebody sees within a time."""
    seen: list[int] = []
    watching = Watching("ana", everything, time.time() + seconds)
    async for event in feed._events(since, watching):
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
    fresh, back = asyncio.create_task(watch(feed, 1200, 1)), asyncio.create_task(watch(feed, 7, 1))
    await asyncio.sleep(0.3)
    rows.change(3)

    assert await fresh == [1201, 1202, 1203]
    assert await back == list(range(8, 1204))


async def test_a_slow_watcher_misses_nothing(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_MOST_WAITING", 2)
    monkeypatch.setattr(live, "_POLL_SECONDS", 0.01)
    feed = Feed(rows, Audience(10))
    slow, quick = asyncio.create_task(watch(feed, 0, 2, pause=0.03)), asyncio.create_task(watch(feed, 0, 2))
    for _ in range(40):
        rows.change()
        await asyncio.sleep(0.015)

    assert await quick == list(range(1, 41))
    assert await slow == list(range(1, 41))


async def test_there_is_room_for_so_many_and_so_many_of_one_caller() -> None:
    audience = Audience(20)
    with audience.seated("ana"), audience.seated("ana"):
        with pytest.raises(TooManyRequests):
            audience.check_room("ana")
        audience.check_room("eva")
    audience.check_room("ana")
    seats = [audience.seated(str(n)) for n in range(20)]
    for seat in seats:
        seat.__enter__()
    with pytest.raises(Unavailable):
        audience.check_room("eva")
