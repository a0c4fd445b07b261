"""Caudal's relay: `… DSN BOOTSTRAP EVENTS` publishes a log from its beginning and stops when the cursor is at its head."""

import asyncio
import sys
import time

import uvloop

from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import log_schema, statement
from streams.installation import Installation
from streams.relay.fair_share import FairShare
from streams.relay.relay import Relay
from streams.settings import Settings
from tests.benchmarks.counters import SYSTEM
from tests.benchmarks.peers.report import report

CONTEXT = ContextName("bench", "counters")
CATALOG = Catalog.of([SYSTEM])


async def run(dsn: str, bootstrap: str, events: int) -> None:
    settings = Settings(write_dsn=dsn, brokers=bootstrap, fetch_backoff=True)
    databases = Databases(None, 4)
    async with databases.connection(dsn) as connection:
        await connection.execute(f"update {log_schema(CONTEXT)}.relay set position = 0, owner = null")
    relay = Relay(Installation(settings, CATALOG, databases), CONTEXT, "bench", FairShare([CONTEXT]))
    running = asyncio.create_task(relay.run())
    cursor, first, started = 0, 0, 0.0
    while cursor < events:
        await asyncio.sleep(0.005)
        async with databases.connection(dsn) as connection:
            row = await connection.fetchrow(statement("relay_state", log_schema(CONTEXT)))
        cursor = 0 if row is None else row["position"]
        if cursor and not started:  # connecting, and making the topic, is not what is measured
            first, started = cursor, time.monotonic()
    report("relay", 1, events - first, time.monotonic() - started)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await databases.close()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
