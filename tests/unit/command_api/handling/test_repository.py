"""Loading states: from the cache, from snapshots, from events; a snapshot can only ever help."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from pydantic import field_serializer, field_validator

from aggregates.deciding import Change, LoadedStream
from aggregates.state import State, state_schema_of
from aggregates.stream import Stream
from command_api.handling.cache import StateCache
from command_api.handling.repository import Repository
from schemas.catalog import Catalog
from schemas.envelope import Metadata
from schemas.errors import Damaged, Invalid, Unavailable
from schemas.expected_version import ANY_VERSION
from schemas.message import Event
from schemas.system import Context, ContextName, System
from schemas.upcasting import Upcaster
from streams.log.memory import MemoryLog
from streams.log.reading import Append, Write
from streams.log.snapshots import Snapshot
from streams.log.stored_events import EventData, encode

CONTEXT = ContextName("shop", "stock")


class Counted(Event):
    by: int


class Stock(State, snapshot_every=10):
    total: int = 0
    seen: frozenset[int] = frozenset()


def evolve(stock: Stock, event: Counted) -> Stock:
    return stock.replace(total=stock.total + event.by, seen=stock.seen | {event.by})


STOCK, NAME = Stream("stock", Stock, evolve), "stock-a"
SCHEMA = state_schema_of(Stock)


CATALOG = Catalog.of([System("shop", (Context("stock", events=(Counted,)),))])


class WatchedLog(MemoryLog):
    """Records after which version streams were read."""

    def __init__(self) -> None:
        super().__init__(CONTEXT)
        self.read_after: list[int] = []
        self.broken = self.fails = False
        self.readable = asyncio.Event()
        self.readable.set()

    async def read_stream(self, stream: str, after: int = 0, limit: int = 1000) -> Sequence[Any]:
        self.read_after.append(after)
        await self.readable.wait()
        if self.fails:
            raise Unavailable("the database is gone")
        return await super().read_stream(stream, after, limit)

    async def keep_snapshot(self, snapshot: Snapshot) -> None:
        if self.broken:
            raise Unavailable("the database is gone")
        await super().keep_snapshot(snapshot)


@pytest.fixture
async def log() -> WatchedLog:
    log = WatchedLog()
    for n in range(25):
        id = uuid4()
        writes = (Write(NAME, ANY_VERSION, (encode(Counted(by=n % 7)),)),)
        await log.append(
            [Append(command_id=id, fingerprint=b"", metadata=Metadata(command_id=id, correlation_id="c"), writes=writes)]
        )
    return log


def repository(log: MemoryLog) -> Repository:
    return Repository(log, CATALOG, StateCache(1_000_000))


async def load(log: MemoryLog) -> LoadedStream:
    loaded = await repository(log).load(STOCK, "a")
    await asyncio.sleep(0)
    assert (loaded.version, loaded.state) == (25, Stock(total=69, seen=frozenset(range(7))))
    return loaded


async def test_a_long_load_leaves_a_snapshot_and_the_next_one_reads_only_the_events_after_it(log: WatchedLog) -> None:
    await load(log)
    snapshot = await log.snapshot(NAME)
    assert snapshot is not None
    assert (snapshot.version, snapshot.state_schema) == (25, SCHEMA)

    await load(log)

    assert log.read_after == [0, 25]


async def test_many_callers_at_once_share_one_read(log: WatchedLog) -> None:
    here = repository(log)

    loaded = await asyncio.gather(*(here.load(STOCK, "a") for _ in range(64)))

    assert log.read_after == [0]
    assert all(one.state is loaded[0].state for one in loaded)


async def test_a_failed_read_fails_for_all_and_a_cancelled_caller_cancels_nobody_else(log: WatchedLog) -> None:
    here, log.readable = repository(log), asyncio.Event()
    first, second = (asyncio.create_task(here.load(STOCK, "a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    log.readable.set()
    assert (await second).version == 25
    assert first.cancelled()

    here, log.fails = repository(log), True
    failed = await asyncio.gather(*(here.load(STOCK, "a") for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in failed] == [Unavailable] * 3


async def remembered(here: Repository, loaded: LoadedStream, events: int) -> tuple[LoadedStream, list[Snapshot]]:
    """Remembers so many more events, as after a decision."""
    added = tuple(Counted(by=1) for _ in range(events))
    snapshots = here.remember([Change(loaded, added, STOCK.fold(loaded.state, added))], [10 * events])  # type: ignore[arg-type]
    return await here.load(STOCK, "a"), snapshots


async def test_a_snapshot_is_due_after_enough_events_since_the_last_one(log: WatchedLog) -> None:
    here = repository(log)
    stock, none_yet = await remembered(here, await here.load(STOCK, "a"), 9)
    assert (stock.version, none_yet) == (34, [])

    stock, due = await remembered(here, stock, 1)
    assert [(one.version, one.state) for one in due] == [(35, stock.state.model_dump_json())]

    _, none_again = await remembered(here, stock, 1)
    assert none_again == []


async def test_a_decision_during_a_read_is_not_lost(log: WatchedLog) -> None:
    here, log.readable = repository(log), asyncio.Event()
    reading = asyncio.create_task(here.load(STOCK, "a"))
    await asyncio.sleep(0.01)
    here.remember([Change(LoadedStream(STOCK, "a", 25, Stock()), (Counted(by=1),), Stock(total=70))], [10])
    log.readable.set()

    assert (await reading).version == 26


@pytest.mark.parametrize(
    ("state_schema", "state"),
    [
        (SCHEMA, "{"),
        (SCHEMA, '{"total": "many", "seen": []}'),
        (SCHEMA, '{"total": 1}'),
        ("0-of-another-time", '{"total": 1, "seen": []}'),
    ],
)
async def test_a_snapshot_that_cannot_be_used_is_ignored(log: WatchedLog, state_schema: str, state: str) -> None:
    await log.keep_snapshot(Snapshot(NAME, 20, state_schema, state))

    await load(log)

    assert log.read_after == [0]


async def test_a_snapshot_that_cannot_be_saved_fails_no_load(log: WatchedLog) -> None:
    log.broken = True

    await load(log)

    assert await log.snapshot(NAME) is None


class Unreadable(Stock, snapshot_every=10):
    """Its snapshots cannot be read again."""

    @field_validator("total")
    @classmethod
    def _never(cls, _: int) -> int:
        raise LookupError("no")


async def test_a_snapshot_whose_validator_fails_is_ignored(log: WatchedLog) -> None:
    unreadable = Stream("stock", Unreadable, evolve)  # type: ignore[arg-type]
    for _ in range(2):  # the first time it is taken
        loaded = await repository(log).load(unreadable, "a")
        await asyncio.sleep(0.01)

        assert (loaded.version, loaded.state.model_dump()["seen"]) == (25, set(range(7)))
    assert await log.snapshot(NAME) is not None


@pytest.mark.parametrize("key", ["a\nb", "a\x00b", "ñ" * 500])
async def test_a_name_that_no_stream_can_have_is_invalid(log: WatchedLog, key: str) -> None:
    with pytest.raises(Invalid, match="one line of at most 1000 bytes"):
        await repository(log).load(STOCK, key, assume_new=True)


class Unwritable(Stock, snapshot_every=10):
    """No snapshot of it can be taken."""

    @field_serializer("total")
    def _never(self, _: int) -> int:
        raise LookupError("no")


async def test_a_snapshot_that_cannot_be_taken_fails_no_load(log: WatchedLog) -> None:
    loaded = await repository(log).load(Stream("stock", Unwritable, evolve), "a")

    assert loaded.version == 25
    assert await log.snapshot(NAME) is None


class Grown(Event, schema_version=2):
    by: int
    why: str


class Tree(State):
    reasons: tuple[str, ...] = ()


async def test_events_of_an_earlier_schema_version_are_upcast_when_a_stream_is_loaded() -> None:
    step = Upcaster("Grown", 1, lambda data: {**data, "why": "rain"})
    catalog = Catalog.of([System("shop", (Context("stock", events=(Grown,), upcasters=(step,)),))])
    log, id = MemoryLog(CONTEXT), uuid4()
    old, new = EventData(str(uuid4()), "Grown", 1, '{"by": 1}'), encode(Grown(by=2, why="sun"))
    metadata = Metadata(command_id=id, correlation_id="c")
    await log.append([Append(id, b"", metadata, (Write("tree-a", ANY_VERSION, (old, new)),))])
    trees = Stream("tree", Tree, lambda tree, event: tree.replace(reasons=(*tree.reasons, event.why)))

    tree = await Repository(log, catalog, StateCache(10_000)).load(trees, "a")

    assert tree.state == Tree(reasons=("rain", "sun"))


class Renamed(Event, renamed_from=("Grown",)):
    by: int


async def test_events_under_an_earlier_name_are_read_by_the_renamed_class() -> None:
    catalog = Catalog.of([System("shop", (Context("stock", events=(Renamed,)),))])
    log, id = MemoryLog(CONTEXT), uuid4()
    old = EventData(str(uuid4()), "Grown", 1, '{"by": 1}')
    metadata = Metadata(command_id=id, correlation_id="c")
    await log.append([Append(id, b"", metadata, (Write("stock-a", ANY_VERSION, (old, encode(Renamed(by=2)))),))])

    stock = await Repository(log, catalog, StateCache(10_000)).load(STOCK, "a")

    assert stock.state == Stock(total=3, seen=frozenset({1, 2}))


def test_another_shape_or_another_version_makes_older_snapshots_unusable() -> None:
    class More(Stock):
        note: str = ""

    class Later(Stock, schema_version=2):
        pass

    class Rarer(Stock, snapshot_every=99):
        pass

    Rarer.__name__ = Stock.__name__
    assert len({SCHEMA, state_schema_of(More), state_schema_of(Later)}) == 3
    assert state_schema_of(Rarer) == SCHEMA


async def test_a_stream_with_a_gap_is_not_loaded(log: WatchedLog) -> None:
    del log._rows[12]

    with pytest.raises(Damaged, match=r"'stock-a' lacks events after version 0: run `caudal verify log`"):
        await repository(log).load(STOCK, "a")
