"""Caudal's projector: `… DSN BOOTSTRAP EVENTS` fills the view of totals anew from the topic, with one worker."""

import asyncio
import gc
import sys
import time
from uuid import uuid4

import uvloop

from projectors.projector import APPLIED, Projector
from streams.database.pools import Databases
from streams.database.store import Store, views_schema
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.settings import Settings
from streams.subscriptions.gap_filling import GAP_FILLED
from streams.subscriptions.subscription import Subscription
from tests.benchmarks.counters import PROJECTIONS
from tests.benchmarks.peers.relaying import CATALOG, CONTEXT
from tests.benchmarks.peers.report import report


async def run(dsn: str, bootstrap: str, events: int) -> None:
    gc.set_threshold(50_000, 20, 50)
    settings = Settings(write_dsn=dsn, brokers=bootstrap, fetch_backoff=True, instance="bench")
    views, databases = Databases(None, 8, durable=False), Databases(None, 4)
    async with views.connection(dsn) as connection:
        await connection.execute(f"truncate {views_schema(CONTEXT)}.totals, {views_schema(CONTEXT)}.checkpoints")
    logs = {CONTEXT: PostgresLog(Store.of_log(databases, dsn, CONTEXT), CONTEXT)}
    projector = Projector(Installation(settings, CATALOG, views), PROJECTIONS[0].of(CONTEXT.system), logs)
    running = asyncio.create_task(Subscription(settings, CATALOG, f"bench-{uuid4()}", [projector], logs).run())
    done, first, started = 0.0, 0.0, 0.0
    while done < events:
        await asyncio.sleep(0.005)
        done = APPLIED.labels(projector.name)._value.get()
        if done and not started:  # joining the group is not what is measured
            first, started = done, time.monotonic()
    report("projector", 1, int(done - first), time.monotonic() - started)
    if GAP_FILLED.labels(projector.name, str(CONTEXT))._value.get():
        raise RuntimeError("events came from the log: that is not what was to be measured")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await views.close()
    await databases.close()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
