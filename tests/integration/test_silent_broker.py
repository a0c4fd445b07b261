"""A broker that is frozen (SIGSTOP) or gone: nothing hangs, callers learn of it, and everything continues when it is back."""

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from uuid import uuid4

import pytest
from mode.threads import WorkerThread

from command_api.clock import now
from deploy.local.ports import free_ports
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import Supervised
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.broker.clients import new_admin, new_consumer, start, started_producer, stop_quietly
from streams.broker.faust_consumer import FaustConsumer
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.installation import Installation
from streams.integrity.signed_heads_topic import published_heads
from streams.relay.fair_share import FairShare
from streams.relay.relay import Relay
from streams.settings import Settings
from tests.conftest import eventually
from tests.frozen import freeze, unfreeze
from tests.integration.deliveries import received_validated_and_processed

CONTEXT = ContextName("data_ingestion", "ingestion")
LIMIT = 1.0
"""Seconds that the settings allow for an answer."""
STOP_SECONDS = 4.0
"""The local supervisor kills a process that has not ended by then."""


@pytest.fixture
async def own_broker(tmp_path: Path) -> AsyncIterator[Supervised]:
    server = EmbeddedBroker(tmp_path / "broker", tmp_path / "logs" / "broker.log", free_ports(1)[0])
    running = Supervised(server.process())
    await running.start()
    yield running
    if running.pid is not None:
        unfreeze(running.pid)
    await running.stop()


@pytest.fixture
def own(settings: Settings, own_broker: Supervised) -> Settings:
    port = own_broker.spec.command[own_broker.spec.command.index("--kafka-port") + 1]
    return settings.model_copy(update={"brokers": f"127.0.0.1:{port}", "broker_timeout_seconds": LIMIT})


@pytest.fixture
async def sender(own: Settings, catalog: Catalog) -> AsyncIterator[CommandSender]:
    sender = CommandSender(own, catalog)
    yield sender
    await sender.close()


def pid_of(broker: Supervised) -> int:
    assert broker.pid is not None
    return broker.pid


def command() -> tuple[ContextName, CommandEnvelope[ReceiveData], str]:
    data = ReceiveData(partner_id="p", payload={})
    return CONTEXT, CommandEnvelope(data=data, id=uuid4(), at=now(), correlation_id="c"), "key"


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_command_is_unavailable_within_the_limit_and_is_sent_when_the_broker_is_back(
    sender: CommandSender, own_broker: Supervised, is_killed: bool
) -> None:
    await sender.send([command()])

    if is_killed:
        await own_broker.stop()
    else:
        freeze(pid_of(own_broker))
    for _ in range(2):
        began = time.monotonic()
        failed = await asyncio.gather(*(sender.send([command()]) for _ in range(5)), return_exceptions=True)
        assert [type(one) for one in failed] == [Unavailable] * 5
        assert time.monotonic() - began < LIMIT + STOP_SECONDS

    if is_killed:
        await Supervised(own_broker.spec).start()
    else:
        unfreeze(pid_of(own_broker))

    async def sends() -> bool:
        try:
            await sender.send([command()])
        except Unavailable:
            return False
        return True

    await eventually(sends)


async def test_every_client_stops_in_time(own: Settings, catalog: Catalog, own_broker: Supervised) -> None:
    await ensure_topics(own, catalog)
    topic = Topics(own, catalog).events(CONTEXT)
    producer, admin = await started_producer(own), new_admin(own)
    consumers = [new_consumer(own, "alone", topic), new_consumer(own, "member", topic, group_id="g", group_instance_id="one")]
    for client in (admin, *consumers):
        await start(client)
    freeze(pid_of(own_broker))
    sent = [await producer.send(topic, b"x" * 100_000, b"k", partition=0) for _ in range(2)]

    began = time.monotonic()
    await stop_quietly(producer, admin, *consumers)

    assert time.monotonic() - began < 2
    assert all(one.done() for one in sent) and all(one.exception() is not None for one in sent)


async def test_topics_and_signed_heads_are_unavailable_within_the_limit(
    own: Settings, catalog: Catalog, own_broker: Supervised
) -> None:
    await ensure_topics(own, catalog)
    freeze(pid_of(own_broker))

    for asked in (ensure_topics(own, catalog), published_heads(own, catalog, CONTEXT)):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await asked
        assert time.monotonic() - began < 2 * LIMIT + STOP_SECONDS


async def test_a_relay_counts_it_as_an_outage_and_publishes_when_the_broker_is_back(
    own: Settings, catalog: Catalog, own_broker: Supervised, databases: Databases
) -> None:
    relay = Relay(Installation(own, catalog, databases), CONTEXT, "one", FairShare([CONTEXT]))
    running = asyncio.create_task(relay.run())

    async def is_published() -> bool:
        return relay.is_published

    async def is_interrupted() -> bool:
        return not relay.is_published and not relay.is_owner

    await eventually(is_published)
    freeze(pid_of(own_broker))
    await received_validated_and_processed(own, catalog, databases, 3)
    relay.wake()
    await eventually(is_interrupted, 5)
    unfreeze(pid_of(own_broker))
    await eventually(is_published, 30)

    freeze(pid_of(own_broker))
    await asyncio.sleep(0.2)
    began = time.monotonic()
    running.cancel()
    await asyncio.wait([running], timeout=10)
    assert running.cancelled() and time.monotonic() - began < STOP_SECONDS


async def test_faust_stops_in_time(own: Settings, catalog: Catalog, own_broker: Supervised) -> None:
    await ensure_topics(own, catalog)
    assigned: set[tuple[str, int]] = set()

    async def deliver(_: object) -> None: ...

    def note(partitions: Iterable[tuple[str, int]], is_member: bool) -> None:
        assert is_member or not partitions
        assigned.update(partitions)

    topic = Topics(own, catalog).events(CONTEXT)
    consumer = FaustConsumer(own, "test", {topic: 3}, deliver, note)
    running = asyncio.create_task(consumer.run())

    async def has_partitions() -> bool:
        return bool(assigned)

    await eventually(has_partitions)
    assert assigned == {(topic, 0), (topic, 1), (topic, 2)}, "the fourth partition of the topic is ignored"
    freeze(pid_of(own_broker))
    await asyncio.sleep(0.5)
    assert not await consumer.is_left_behind()

    began = time.monotonic()
    running.cancel()
    await asyncio.wait([running], timeout=10)

    assert running.cancelled() and time.monotonic() - began < STOP_SECONDS

    async def thread_has_ended() -> bool:
        return not any(isinstance(thread, WorkerThread) for thread in threading.enumerate())

    await eventually(thread_has_ended, 10)


async def test_provisioning_that_is_cancelled_ends_wherever_it_is(own: Settings, catalog: Catalog) -> None:
    await ensure_topics(own, catalog)
    chance = random.Random(1)
    for _ in range(100):
        ensuring = asyncio.create_task(ensure_topics(own, catalog))
        await asyncio.sleep(chance.uniform(0, 0.05))

        was_running = ensuring.cancel()

        await asyncio.wait([ensuring], timeout=STOP_SECONDS)
        assert ensuring.cancelled() is was_running
