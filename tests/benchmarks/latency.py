"""Latency: from the acknowledgement of a command to its row in the query API, at a steady rate, beside `eventsourcing`.

Both use the same PostgreSQL, in turns: Caudal with its whole local stack, the peer with its projection runner.
"""

import asyncio
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import asyncpg
import orjson

from tests.benchmarks.counters import installed_in
from tests.benchmarks.results import Result, alone, compared
from tests.databases import in_database, with_password
from tests.stack import running_stack

RATE = 200
MEDIAN_MS, P99_MS = 15.0, 60.0


async def measure_latency(rounds: int, seconds: float) -> list[Result]:
    """Both, so many rounds of so many seconds."""
    reports: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as name:
        environment = installed_in(Path(name))
        async with running_stack(environment=environment) as stack:
            dsn = await _peer_database(stack.endpoints["postgres"])
            apis = (stack.endpoints["command_api"], stack.endpoints["query_api"])
            for number in range(rounds):
                reports["caudal"].append(await run_program("following", *apis, str(RATE), str(seconds)))
                reports["peer"].append(await run_program("eventsourcing_following", dsn, str(RATE), str(seconds)))
                sys.stderr.write(f"round {number + 1} of {rounds}\n")
    caudal, peer = ({key: [one[key] for one in rounds] for key in ("median_ms", "p99_ms")} for rounds in reports.values())
    case = f"{RATE} commands/s, accepted to visible"
    return [
        compared("latency", f"{case}, median", "ms", caudal["median_ms"], peer["median_ms"], "eventsourcing", None),
        compared("latency", f"{case}, 99th percentile", "ms", caudal["p99_ms"], peer["p99_ms"], "eventsourcing", None),
        alone("latency", f"{case}, median", "ms", caudal["median_ms"], MEDIAN_MS, less=True),
        alone("latency", f"{case}, 99th percentile", "ms", caudal["p99_ms"], P99_MS, less=True),
    ]


async def _peer_database(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("create database peer")
    finally:
        await connection.close()
    return with_password(in_database(dsn, "peer"))


async def run_program(program: str, *arguments: str) -> dict[str, float]:
    """Runs one of the programs in `peers` in a process of its own; returns its report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.benchmarks.peers.{program}", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    out, err = await asyncio.wait_for(process.communicate(), 300)
    if process.returncode:
        raise RuntimeError(f"{program} failed: {err.decode()[-2000:]}")
    report: dict[str, float] = orjson.loads(out.splitlines()[-1])
    sys.stderr.write(f"{program}: {report}\n")
    return report
