"""Plain inserts with asyncpg, a row a statement: what PostgreSQL gives with no store on top.

`python -m tests.benchmarks.peers.asyncpg DSN new|hot CLIENTS SECONDS`
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import asyncpg
import uvloop
from uuid_utils import uuid7

from tests.benchmarks.peers.report import PAYLOAD, report

POOL = 16
TABLE = """
    create table plain_events (
      position bigint generated always as identity primary key,
      stream text not null, version int not null, data json not null, unique (stream, version)
    )
"""
INSERT = "insert into plain_events (stream, version, data) values ($1, $2, $3) returning position"


async def nothing(_: object) -> None:
    """Spares the round trip with which a pool resets a session."""


async def run(dsn: str, case: str, clients: int, seconds: float) -> None:
    size = min(clients, POOL)
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size, reset=nothing) as pool:
        await pool.execute(TABLE)
        started = time.monotonic()
        deadline = started + seconds

        async def new() -> int:
            count = 0
            while time.monotonic() < deadline:
                await pool.fetchval(INSERT, f"bench-{uuid7()}", 1, PAYLOAD)
                count += 1
            return count

        async def hot() -> int:
            stream, version = f"bench-{uuid7()}", 0
            while time.monotonic() < deadline:
                version += 1
                await pool.fetchval(INSERT, stream, version, PAYLOAD)
            return version

        client: Callable[[], Awaitable[int]] = {"new": new, "hot": hot}[case]
        events = sum(await asyncio.gather(*(client() for _ in range(clients))))
        report(case, clients, events, time.monotonic() - started)


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
