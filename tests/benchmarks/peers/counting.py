"""A stock Faust agent: `… DSN BOOTSTRAP EVENTS` counts a topic's records, and does nothing else with them."""

import asyncio
import sys
import tempfile
import time
from typing import Any

import faust
import uvloop

from streams.broker.topic_names import Topics
from streams.settings import Settings
from tests.benchmarks.peers.relaying import CATALOG, CONTEXT
from tests.benchmarks.peers.report import report


async def run(bootstrap: str, events: int, folder: str) -> None:
    app = faust.App(
        "stock",
        broker=f"aiokafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        datadir=folder,
    )
    counted, started = 0, 0.0

    @app.agent(app.topic(Topics(Settings(), CATALOG).events(CONTEXT), value_serializer="raw"))
    async def count(stream: Any) -> None:
        nonlocal counted, started
        async for _ in stream:
            counted += 1
            started = started or time.monotonic()

    await app.start()
    while counted < events:
        await asyncio.sleep(0.005)
    report("faust", 1, events, time.monotonic() - started)
    await app.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        uvloop.run(run(sys.argv[2], int(sys.argv[3]), name))
