"""Appending, one event of 256 bytes a command: Caudal beside its peers on the same PostgreSQL, in interleaved rounds.

Each program runs for some seconds on a database of its own, made anew for it. The peers run at their best: see the programs in
``peers``.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import asyncpg
import orjson

from deploy.local.servers.postgres import EmbeddedPostgres
from tests.benchmarks.results import Result, alone, compared
from tests.databases import in_database, with_password
from tests.postgres import postgres_at

CLIENTS = (1, 16, 64)
CASES = ("new", "hot")
TARGETS = {16: 3.0, 64: 5.0}
BATCHES_TARGET = 13_000
EMMETT = "0.42.0"
_PEERS = Path(__file__).with_name("peers")
_GIVE_UP_SECONDS = 120


async def measure_append(rounds: int, seconds: float) -> list[Result]:
    """Every store in every case, so many rounds."""
    rates: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as folder:
        programs = _programs(await _emmett(Path(folder)))
        async with postgres_at(Path(folder)) as server:
            for number in range(rounds):
                for case in CASES:
                    for clients in CLIENTS:
                        for name, program in programs.items():
                            rates[name, case, clients].append(await _run(server, program, case, clients, seconds))
                rates["caudal", "batches", 2].append(await _run(server, programs["caudal"], "batches", 2, seconds))
                sys.stderr.write(f"round {number + 1} of {rounds}\n")
    return [
        *(
            compared(
                "append",
                f"{case} streams, {clients} clients",
                "events/s",
                rates["caudal", case, clients],
                rates[name, case, clients],
                name,
                None if name == "asyncpg" else TARGETS.get(clients),
            )
            for case in CASES
            for clients in CLIENTS
            for name in programs
            if name != "caudal"
        ),
        alone("append", "new streams, commits of 128", "events/s", rates["caudal", "batches", 2], BATCHES_TARGET),
    ]


async def fresh_database(server: EmbeddedPostgres, name: str) -> str:
    """A database made anew; returns its DSN."""
    connection = await asyncpg.connect(in_database(server.dsn, "postgres"))
    try:
        await connection.execute(f"drop database if exists {name} with (force)")
        await connection.execute(f"create database {name}")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    return with_password(in_database(server.dsn, name))


async def _run(server: EmbeddedPostgres, program: tuple[str, ...], case: str, clients: int, seconds: float) -> float:
    dsn = await fresh_database(server, "bench")
    process = await asyncio.create_subprocess_exec(
        *(*program, dsn, case, str(clients), str(seconds)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), _GIVE_UP_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{program} failed: {err.decode()[-2000:]}")
    report = orjson.loads(out.splitlines()[-1])
    return float(report["events"] / report["seconds"])


def _programs(emmett: tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    python = {name: (sys.executable, "-m", f"tests.benchmarks.peers.{name}") for name in ("caudal", "eventsourcing", "asyncpg")}
    return {
        "caudal": python["caudal"],
        "eventsourcing": python["eventsourcing"],
        **({} if emmett is None else {"emmett": emmett}),
        "asyncpg": python["asyncpg"],
    }


async def _emmett(folder: Path) -> tuple[str, ...] | None:
    """Installs emmett with npm and returns the command that runs its program; ``None`` without Node."""
    if shutil.which("npm") is None:
        sys.stderr.write("there is no npm: emmett is left out\n")
        return None
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    shutil.copy(_PEERS / "emmett.js", folder)
    install = await asyncio.create_subprocess_exec(
        *("npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent"),
        f"@event-driven-io/emmett-postgresql@{EMMETT}",
        cwd=folder,
        stdout=sys.stderr,
        env={**os.environ, "npm_config_update_notifier": "false"},
    )
    if await install.wait():
        raise RuntimeError("npm could not install emmett")
    return ("node", str(folder / "emmett.js"))
