"""Loading aggregates: from memory, from snapshots, from events; a snapshot can only ever help."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from aggregates.aggregate import Aggregate
from aggregates.decision import Ref
from aggregates.scenario import MIDNIGHT
from aggregates.snapshot import SnapshotPolicy
from command_api.handling.cache import AggregateMemory
from command_api.handling.repository import Repository, snapshot_of
from schemas.catalog import Catalog, Context, ContextName, System
from schemas.envelope import Metadata
from schemas.errors import Invalid, Unavailable
from schemas.expected_version import ANY_VERSION
from schemas.message import Event
from schemas.upcasting import Upcaster
from streams.log.memory import MemoryLog
from streams.log.reading import Append, Write
from streams.log.snapshots import Snapshot
from streams.log.stored_events import EventData, encode

CONTEXT = ContextName("shop", "stock")


class Counted(Event, name="Counted"):
    by: int


class Total(BaseModel):
    total: int
    seen: set[int]


class Stock(Aggregate):
    category = "stock"
    snapshots = SnapshotPolicy(Total, every=10)

    def __init__(self) -> None:
        self.total = 0
        self.seen: set[int] = set()

    def evolve(self, event: Event) -> None:
        assert isinstance(event, Counted)
        self.total += event.by
        self.seen.add(event.by)


CATALOG = Catalog.of([System("shop", (Context("stock", events=(Counted,)),))])
REF = Ref(Stock, "a")


class WatchedLog(MemoryLog):
    """Tells after which version streams were read."""

    def __init__(self) -> None:
        super().__init__(CONTEXT)
        self.read_after: list[int] = []
        self.broken = self.fails = False
        self.readable = asyncio.Event()
        self.readable.set()

    async def read_stream(self, stream: str, after: int = 0, limit: int | None = None) -> Sequence[Any]:
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
        writes = (Write(REF.stream, ANY_VERSION, (encode(Counted(by=n % 7)),)),)
        await log.append(
            [Append(command_id=id, fingerprint=b"", metadata=Metadata(command_id=id, correlation_id="c"), writes=writes)]
        )
    return log


def repository(log: MemoryLog) -> Repository:
    return Repository(log, CATALOG, AggregateMemory(1_000_000))


async def load(log: MemoryLog) -> Stock:
    loaded = await repository(log).load(REF, MIDNIGHT)
    await asyncio.sleep(0)
    assert isinstance(loaded, Stock)
    assert (loaded.version, loaded.total, loaded.seen) == (25, 69, set(range(7)))
    return loaded


async def test_a_long_load_leaves_a_snapshot_and_the_next_one_reads_only_what_came_after(log: WatchedLog) -> None:
    await load(log)
    snapshot = await log.snapshot(REF.stream)
    assert snapshot is not None
    assert (snapshot.version, snapshot.state_schema) == (25, Stock.snapshots.state_schema)

    await load(log)

    assert log.read_after == [0, 25]


async def test_many_that_want_a_stream_at_once_read_it_once(log: WatchedLog) -> None:
    here = repository(log)

    loaded = await asyncio.gather(*(here.load(REF, MIDNIGHT) for _ in range(64)))

    assert log.read_after == [0]
    assert all(one is loaded[0] for one in loaded)


async def test_a_reading_that_fails_fails_for_all_and_one_that_is_cancelled_for_nobody_else(log: WatchedLog) -> None:
    here, log.readable = repository(log), asyncio.Event()
    first, second = (asyncio.create_task(here.load(REF, MIDNIGHT)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    log.readable.set()
    assert (await second).version == 25
    assert first.cancelled()

    here, log.fails = repository(log), True
    failed = await asyncio.gather(*(here.load(REF, MIDNIGHT) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in failed] == [Unavailable] * 3


async def test_a_snapshot_is_due_when_enough_has_happened_since_the_last_one(log: WatchedLog) -> None:
    here = repository(log)
    stock = await here.load(REF, MIDNIGHT)
    for _ in range(9):
        stock.record(Counted(by=1))
    assert here.due_snapshots([stock]) == []

    stock.record(Counted(by=1))

    assert [snapshot.version for snapshot in here.due_snapshots([stock])] == [35]
    assert here.due_snapshots([stock]) == []


@pytest.mark.parametrize(
    ("state_schema", "state"),
    [
        (Stock.snapshots.state_schema, "{"),
        (Stock.snapshots.state_schema, '{"total": "many", "seen": []}'),
        (Stock.snapshots.state_schema, '{"total": 1}'),
        ("0-of-another-time", '{"total": 1, "seen": []}'),
    ],
)
async def test_a_snapshot_that_cannot_be_used_is_ignored(log: WatchedLog, state_schema: str, state: str) -> None:
    await log.keep_snapshot(Snapshot(REF.stream, 20, state_schema, state))

    await load(log)

    assert log.read_after == [0]


async def test_a_snapshot_that_cannot_be_kept_hurts_nobody(log: WatchedLog) -> None:
    log.broken = True

    await load(log)

    assert await log.snapshot(REF.stream) is None


class Wrong(BaseModel):
    missing: int


class Derived(Stock):
    """Its ``total`` cannot be set."""

    @property
    def total(self) -> int:
        return len(self.seen)

    @total.setter
    def total(self, value: int) -> None:
        if value:
            raise AttributeError("it is counted")

    def evolve(self, event: Event) -> None:
        assert isinstance(event, Counted)
        self.seen.add(event.by)


async def test_a_snapshot_that_cannot_be_put_in_place_is_ignored(log: WatchedLog) -> None:
    for _ in range(2):  # the first time it is taken
        loaded = await repository(log).load(Ref(Derived, "a"), MIDNIGHT)
        await asyncio.sleep(0.01)
        assert isinstance(loaded, Derived)

        assert (loaded.version, loaded.seen) == (25, set(range(7)))
    assert await log.snapshot(REF.stream) is not None


@pytest.mark.parametrize("key", ["a\nb", "a\x00b", "ñ" * 500])
async def test_a_name_that_no_stream_can_have_is_invalid(log: WatchedLog, key: str) -> None:
    with pytest.raises(Invalid, match="one line of at most 1000 bytes"):
        await repository(log).load(Ref(Stock, key), MIDNIGHT, assume_new=True)


class Unshowable(Stock):
    snapshots = SnapshotPolicy(Wrong, every=10)


async def test_a_snapshot_that_cannot_be_taken_hurts_nobody(log: WatchedLog) -> None:
    loaded = await repository(log).load(Ref(Unshowable, "a"), MIDNIGHT)

    assert loaded.version == 25
    assert await log.snapshot(REF.stream) is None


class Grown(Event, name="Grown", schema_version=2):
    by: int
    why: str


class Tree(Aggregate):
    category = "tree"

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def evolve(self, event: Event) -> None:
        assert isinstance(event, Grown)
        self.reasons.append(event.why)


async def test_events_of_an_earlier_version_are_brought_up_when_an_aggregate_is_loaded() -> None:
    step = Upcaster("Grown", 1, lambda data: {**data, "why": "rain"})
    catalog = Catalog.of([System("shop", (Context("stock", events=(Grown,), upcasters=(step,)),))])
    log, id = MemoryLog(CONTEXT), uuid4()
    old, new = EventData(str(uuid4()), "Grown", 1, '{"by": 1}'), encode(Grown(by=2, why="sun"))
    metadata = Metadata(command_id=id, correlation_id="c")
    await log.append([Append(id, b"", metadata, (Write("tree-a", ANY_VERSION, (old, new)),))])

    tree = await Repository(log, catalog, AggregateMemory(10_000)).load(Ref(Tree, "a"), MIDNIGHT)

    assert tree.state() == {"reasons": ["rain", "sun"]}


def test_another_shape_or_another_version_makes_older_snapshots_unusable() -> None:
    class More(Total):
        note: str = ""

    first = SnapshotPolicy(Total, every=10)

    assert first.state_schema == SnapshotPolicy(Total, every=99).state_schema
    assert (
        len({first.state_schema, SnapshotPolicy(Total, 10, version=2).state_schema, SnapshotPolicy(More, 10).state_schema}) == 3
    )


def test_a_snapshot_holds_the_state_as_it_was_taken() -> None:
    stock = Stock.empty(REF.stream, MIDNIGHT)
    stock.record(Counted(by=3))

    snapshot = snapshot_of(stock)
    stock.record(Counted(by=4))

    assert (snapshot.version, snapshot.state) == (1, '{"total":3,"seen":[3]}')
