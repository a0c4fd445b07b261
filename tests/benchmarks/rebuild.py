"""Rebuilding a view from its log: `caudal projections rebuild`, from its start to the switch, at two sizes of the log."""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from schemas.catalog import Catalog
from streams.discovery import installed_catalog
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.benchmarks.append import fresh_database
from tests.benchmarks.counters import SYSTEM, installed_in
from tests.benchmarks.relay import filled
from tests.benchmarks.results import Result, alone
from tests.postgres import postgres_at

SMALL, LARGE = 100_000, 1_000_000
LEAST, MAX_GROWTH = 40_000, 1.3
VIEW = "bench.totals"


async def measure_rebuild(rounds: int) -> list[Result]:
    """Both sizes, so many rounds each."""
    seconds: dict[int, list[float]] = {SMALL: [], LARGE: []}
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as name:
        environment = installed_in(Path(name) / "installed")
        async with postgres_at(Path(name)) as server:
            for size, took in seconds.items():
                dsn = await fresh_database(server, f"bench_{size}")
                await migrate(Settings(write_dsn=dsn), Catalog.of([*installed_catalog().systems.values(), SYSTEM]))
                await filled(dsn, size)
                sys.stderr.write(f"filled {size:,}\n")
                to_head = ("reset", VIEW, "--to", "head", "--keep-rows", "--apply")
                await _caudal("subscriptions", *to_head, dsn=dsn, environment=environment)
                for number in range(rounds + 1):
                    began = time.perf_counter()
                    said = await _caudal("projections", "rebuild", VIEW, "--apply", dsn=dsn, environment=environment)
                    if number:  # the first finds a view without rows, all others one that is as they make it
                        took.append(time.perf_counter() - began)
                        assert "All rows are as they were" in said, said
                    sys.stderr.write(f"rebuilt {size:,} in {time.perf_counter() - began:.1f} s\n")
    growth = [(large / LARGE) / (small / SMALL) for small, large in zip(seconds[SMALL], seconds[LARGE], strict=True)]
    return [
        *(
            alone("rebuild", f"{size:,} events", "events/s", [size / one for one in took], LEAST if size == LARGE else None)
            for size, took in seconds.items()
        ),
        alone("rebuild", "an event at a million, by one at 100,000", "times", growth, MAX_GROWTH, less=True),
    ]


async def _caudal(*arguments: str, dsn: str, environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment, "CAUDAL_WRITE_DSN": dsn, "COLUMNS": "200"},
    )
    out, _ = await asyncio.wait_for(process.communicate(), 600)
    if process.returncode:
        raise RuntimeError(f"{arguments} failed: {out.decode()[-2000:]}")
    return out.decode()
