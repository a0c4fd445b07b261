"""Projecting: events from a topic into a view, one worker, beside a stock Faust agent that only counts the same records.

A round has a broker of its own, filled by Caudal's relay; both sides read it from the beginning, in turns.
"""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from schemas.catalog import Catalog
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.benchmarks.append import fresh_database
from tests.benchmarks.counters import SYSTEM
from tests.benchmarks.relay import filled, run_side, running_broker
from tests.benchmarks.results import Result, alone, compared
from tests.postgres import postgres_at

EVENTS = 100_000
TIMES_FAUST, LEAST = 3, 20_000


async def measure_project(rounds: int) -> list[Result]:
    """Both, so many rounds."""
    rates: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with postgres_at(folder) as server:
            dsn = await fresh_database(server, "bench")
            await migrate(Settings(write_dsn=dsn), Catalog.of([SYSTEM]))
            await filled(dsn, EVENTS)
            for number in range(rounds):
                async with running_broker(folder / f"broker-{number}") as bootstrap:
                    await run_side("relaying", dsn, bootstrap, EVENTS)
                    for side in ("projecting", "counting"):
                        rates[side].append(await run_side(side, dsn, bootstrap, EVENTS))
                sys.stderr.write(f"round {number + 1} of {rounds}\n")
    projecting, counting = rates["projecting"], rates["counting"]
    return [
        compared("project", "topic to view", "events/s", projecting, counting, "faust, counting", TIMES_FAUST),
        alone("project", "topic to view", "events/s", projecting, LEAST),
    ]
