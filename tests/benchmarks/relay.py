"""Relaying: events of 256 bytes from a log to its topic, beside a bare producer that sends as many records to the same broker.

Each side is a process of its own, in turns, each round with a topic of its own; the log is filled once.
"""

import asyncio
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from deploy.local.ports import free_ports
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import Supervised
from schemas.catalog import Catalog
from schemas.expected_version import NO_STREAM
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.appending import AppendablePostgresLog
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.benchmarks.append import fresh_database
from tests.benchmarks.counters import SYSTEM
from tests.benchmarks.peers.caudal import command
from tests.benchmarks.peers.relaying import CONTEXT
from tests.benchmarks.results import Result, alone, compared
from tests.postgres import postgres_at

EVENTS = 100_000
SHARE_OF_PRODUCER, LEAST = 0.5, 20_000
_GIVE_UP_SECONDS = 300


async def measure_relay(rounds: int) -> list[Result]:
    """Both, so many rounds."""
    rates: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with postgres_at(folder) as server:
            dsn = await fresh_database(server, "bench")
            await migrate(Settings(write_dsn=dsn), Catalog.of([SYSTEM]))
            await filled(dsn, EVENTS)
            sys.stderr.write(f"filled {EVENTS:,}\n")
            for number in range(rounds):
                for side in ("relaying", "producing"):
                    # A broker of its own for each: the embedded one slows down with what it holds.
                    async with running_broker(folder / f"{side}-{number}") as bootstrap:
                        rates[side].append(await run_side(side, dsn, bootstrap, EVENTS))
                sys.stderr.write(f"round {number + 1} of {rounds}\n")
    return [
        compared("relay", "log to topic", "events/s", rates["relaying"], rates["producing"], "aiokafka", SHARE_OF_PRODUCER),
        alone("relay", "log to topic", "events/s", rates["relaying"], LEAST),
    ]


@asynccontextmanager
async def running_broker(folder: Path) -> AsyncIterator[str]:
    """An embedded broker with its data in a folder."""
    broker = EmbeddedBroker(folder, folder.with_suffix(".log"), free_ports(1)[0])
    running = Supervised(broker.process())
    await running.start()
    try:
        yield broker.bootstrap
    finally:
        await running.stop()


async def filled(dsn: str, events: int, events_a_stream: int = 10) -> None:
    """Appends so many events to the counters' log."""
    databases = Databases("caudal_writer", 2)
    log = AppendablePostgresLog(Store.of_log(databases, dsn, CONTEXT), CONTEXT, 4)
    for begin in range(0, events // events_a_stream, 50):
        streams = range(begin, min(begin + 50, events // events_a_stream))
        appends = []
        for stream in streams:
            first = command(f"counter-{stream}", NO_STREAM)
            (write,) = first.writes
            more = tuple(command("", NO_STREAM).writes[0].events[0] for _ in range(events_a_stream - 1))
            named = tuple(event._replace(type="Counted", data=NOTE_JSON) for event in (*write.events, *more))
            appends.append(first._replace(writes=(write._replace(events=named),)))
        await log.append(appends)
    await log.drain()
    await databases.close()


NOTE_JSON = orjson.dumps({"note": "x" * 244}).decode()


async def run_side(side: str, dsn: str, bootstrap: str, events: int) -> float:
    """Runs one of the programs in `peers` in a process of its own; returns its rate."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.benchmarks.peers.{side}", dsn, bootstrap, str(events)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    out, err = await asyncio.wait_for(process.communicate(), _GIVE_UP_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{side} failed: {err.decode()[-2000:]}")
    report = orjson.loads(out.splitlines()[-1])
    return float(report["events"] / report["seconds"])
