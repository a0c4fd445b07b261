"""A command over HTTP, from the request to the durable acknowledgement, beside an empty echo on the same server.

One API process, 64 connections, PostgreSQL with fsync on, and the sender of the requests, all on this machine. Memory: the
resident size of the API process before and after some 200,000 commands.
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
import psutil

from deploy.local.ports import free_ports
from schemas.catalog import Catalog
from streams.discovery import installed_catalog
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.benchmarks.append import fresh_database
from tests.benchmarks.counters import NOTE, SYSTEM, installed_in
from tests.benchmarks.results import Result, alone, compared
from tests.postgres import postgres_at

CONNECTIONS = 64
SHARE_OF_ECHO, P99_MS = 0.5, 40.0
MEMORY_COMMANDS, MEMORY_GROWTH = 200_000, 1.1
CASES = {
    "new streams": ("/commands/bench/open-counter", {"note": NOTE}),
    "64 hot streams": ("/commands/bench/count", {"counter": "c{n}", "note": NOTE}),
    "one hot stream": ("/commands/bench/count", {"counter": "one", "note": NOTE}),
}


async def measure_http(rounds: int, seconds: float) -> list[Result]:
    """The echo and every case, so many rounds; then the memory."""
    rates: dict[str, list[float]] = defaultdict(list)
    slowest: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environment = installed_in(folder / "installed")
        async with postgres_at(folder) as server:
            dsn = await fresh_database(server, "bench")
            await migrate(Settings(write_dsn=dsn), Catalog.of([*installed_catalog().systems.values(), SYSTEM]))
            async with _echo() as echo, _command_api(dsn, environment) as (api, process):
                for number in range(rounds):
                    report = await _requests(echo, "/", {"note": NOTE}, seconds)
                    rates["echo"].append(report["requests"] / report["seconds"])
                    for case, (path, body) in CASES.items():
                        report = await _requests(api, path, body, seconds)
                        rates[case].append(report["requests"] / report["seconds"])
                        slowest[case].append(report["p99_ms"])
                    sys.stderr.write(f"round {number + 1} of {rounds}\n")
            async with _command_api(dsn, environment) as (api, process):
                memory = await _memory(api, process)
    return [
        *(compared("http", case, "commands/s", rates[case], rates["echo"], "echo", SHARE_OF_ECHO) for case in CASES),
        *(alone("http", f"{case}, 99th percentile", "ms", slowest[case], P99_MS, less=True) for case in CASES),
        alone("http", f"memory after {MEMORY_COMMANDS:,} commands, by before", "times", [memory], MEMORY_GROWTH, less=True),
    ]


async def _memory(port: int, process: psutil.Process) -> float:
    """The growth of the process per command, after it has warmed up and filled its caches."""
    path, body = CASES["new streams"]
    sizes = []
    commands = 0.0
    while commands < MEMORY_COMMANDS + MEMORY_COMMANDS // 4:
        commands += (await _requests(port, path, body, 10))["requests"]
        sizes.append((commands, process.memory_info().rss))
        sys.stderr.write(f"{commands:,.0f} commands: {sizes[-1][1] // 2**20} MiB\n")
    before = next(size for count, size in sizes if count >= MEMORY_COMMANDS // 4)
    return sizes[-1][1] / before


async def _requests(port: int, path: str, body: dict[str, str], seconds: float) -> dict[str, float]:
    sender = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.requests", str(port), path, str(CONNECTIONS), str(seconds)),
        orjson.dumps(body).decode(),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(sender.communicate(), seconds + 60)
    report: dict[str, float] = orjson.loads(out)
    if report["failed"]:
        raise RuntimeError(f"{report['failed']} of {report['requests']} requests to {path} failed")
    return report


@asynccontextmanager
async def _echo() -> AsyncIterator[int]:
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.benchmarks.echo", str(port))
    try:
        yield await _listening(port, process)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _command_api(dsn: str, environment: dict[str, str]) -> AsyncIterator[tuple[int, psutil.Process]]:
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "serve", "command-api", "--port", str(port)),
        env={**os.environ, **environment, "CAUDAL_WRITE_DSN": dsn, "CAUDAL_PROFILE": "seed", "CAUDAL_LOG_LEVEL": "warning"},
    )
    try:
        yield await _listening(port, process), psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> int:
    for _ in range(600):
        if process.returncode is not None:
            raise RuntimeError(f"the server left with {process.returncode}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return port
    raise RuntimeError("the server does not listen")
