"""Growth: what appending and loading cost at a million events, by what they cost at ten thousand."""

import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from uuid_utils import uuid7

from aggregates.stream import Stream
from command_api.handling.cache import StateCache
from command_api.handling.repository import Repository
from schemas.catalog import Catalog
from schemas.expected_version import ANY_VERSION, NO_STREAM
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.appending import AppendablePostgresLog
from streams.log.reading import Append, Write
from streams.log.stored_events import encode
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.benchmarks.append import fresh_database
from tests.benchmarks.counters import COUNTER, NOTE, SYSTEM, Counted, Counter, evolve
from tests.benchmarks.peers.caudal import command
from tests.benchmarks.results import Result, alone
from tests.postgres import postgres_at

SMALL, LARGE = 10_000, 1_000_000
MAX_GROWTH, LOAD_MS = 1.3, 10.0
LONG_STREAM = 10_000
CATALOG = Catalog.of([SYSTEM])
CONTEXT = ContextName("bench", "counters")
_BATCH = 128
_ONCE = 200


class WithoutSnapshots(Counter):
    """The same counter, which is rebuilt from its events each time."""


WITHOUT_SNAPSHOTS = Stream("counter", WithoutSnapshots, evolve)  # type: ignore[arg-type]


async def measure_growth(rounds: int) -> list[Result]:
    """Appends and loads at both sizes, each size measured so many rounds, some hundred operations a round."""
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as folder:
        async with postgres_at(Path(folder)) as server:
            logs = {}
            databases = Databases("caudal_writer", 4)
            for size in (SMALL, LARGE):
                dsn = await fresh_database(server, f"bench_{size}")
                await migrate(Settings(write_dsn=dsn), CATALOG)
                logs[size] = AppendablePostgresLog(Store.of_log(databases, dsn, CONTEXT), CONTEXT, 4)
                await _fill(logs[size], size)
                sys.stderr.write(f"filled {size:,}\n")
            growth: dict[str, list[float]] = {name: [] for name in _operations(logs[SMALL])}
            for _ in range(rounds):
                large = _operations(logs[LARGE])
                for name, operation in _operations(logs[SMALL]).items():
                    growth[name].append(await _ratio(operation, large[name]))
            loads = [await _load_long(logs[LARGE], COUNTER) * 1000 for _ in range(rounds)]
            replays = [await _load_long(logs[LARGE], WITHOUT_SNAPSHOTS) * 1000 for _ in range(rounds)]
            await databases.close()
    return [
        *(alone("growth", name, "times", ratios, MAX_GROWTH, less=True) for name, ratios in growth.items()),
        alone("growth", f"load an aggregate of {LONG_STREAM:,} events from its snapshot", "ms", loads, LOAD_MS, less=True),
        alone("growth", f"load an aggregate of {LONG_STREAM:,} events from the events", "ms", replays),
    ]


async def _ratio(small: Callable[[], Awaitable[object]], large: Callable[[], Awaitable[object]]) -> float:
    """Returns how much longer one takes than the other. They run in turns, so that machine noise affects both."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ONCE):
        for operation, seconds in ((small, took[0]), (large, took[1])):
            started = time.perf_counter()
            await operation()
            seconds.append(time.perf_counter() - started)
    return statistics.median(took[1]) / statistics.median(took[0])


def _operations(log: AppendablePostgresLog) -> dict[str, Callable[[], Awaitable[object]]]:
    async def append_one() -> None:
        await log.append([command(f"counter-{uuid7()}", NO_STREAM)])

    async def append_many() -> None:
        await log.append([command(f"counter-{uuid7()}", NO_STREAM) for _ in range(_BATCH)])

    async def append_hot() -> None:
        await log.append([command("counter-hot", ANY_VERSION)])

    async def load() -> None:
        assert len(await log.read_stream("counter-short")) == 10

    return {
        "append to a new stream": append_one,
        "append 128 to new streams": append_many,
        "append to a hot stream": append_hot,
        "read a stream of 10 events": load,
    }


async def _fill(log: AppendablePostgresLog, size: int) -> None:
    await log.append([command("counter-short", ANY_VERSION) for _ in range(10)])
    event = Counted(note=NOTE)
    for _ in range(LONG_STREAM // 1000 if size == LARGE else 0):
        first = command("counter-long", ANY_VERSION)
        await log.append([Append(*first[:3], (Write("counter-long", ANY_VERSION, tuple(encode(event) for _ in range(1000))),))])
    while (position := (await log.head()).position) < size:
        await log.append([command(f"counter-{uuid7()}", NO_STREAM) for _ in range(min(500, size - position))])


async def _load_long(log: AppendablePostgresLog, counters: Stream[Any]) -> float:
    """Returns the seconds that a process takes which has not seen the stream; the first load ever leaves the snapshot."""
    with_snapshots = counters.state.snapshot_every is not None
    for _ in range(2 if with_snapshots else 1):
        repository = Repository(log, CATALOG, StateCache(2**20))
        started = time.perf_counter()
        loaded = await repository.load(counters, "long")
        seconds = time.perf_counter() - started
        assert loaded.version == LONG_STREAM
        while with_snapshots and not await log.snapshot(loaded.name):
            pass
    return seconds
