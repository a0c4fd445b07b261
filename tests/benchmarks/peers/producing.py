"""A bare aiokafka producer: `… DSN BOOTSTRAP EVENTS` sends as many records of 256 bytes, set up as Caudal sets up its own."""

import asyncio
import sys
import time

import uvloop

from streams.broker.clients import started_producer
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.settings import Settings
from tests.benchmarks.peers.relaying import CATALOG, CONTEXT
from tests.benchmarks.peers.report import PAYLOAD, report


async def run(bootstrap: str, events: int) -> None:
    settings = Settings(brokers=bootstrap)
    await ensure_topics(settings, CATALOG, [CONTEXT])
    topic, value = Topics(settings, CATALOG).events(CONTEXT), PAYLOAD.encode()
    producer = await started_producer(settings)
    await producer.send_and_wait(topic, value, b"counter-0", partition=0)
    started = time.monotonic()
    sent = [await producer.send(topic, value, b"counter-%d" % (n // 10), partition=n % 4) for n in range(events)]
    await asyncio.gather(*sent)
    report("producer", 1, events, time.monotonic() - started)
    await producer.stop()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[2], int(sys.argv[3])))
