"""Three brokers, of which one dies under load: the relay continues, nothing is lost, and the order is kept.

Each record is acknowledged by all in-sync replicas, at least two of them.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.servers.kafka import KafkaBroker, can_run, new_cluster
from deploy.local.supervisor import Supervised
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.broker.clients import new_admin, start, stop_quietly
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.integrity.topic_verification import TopicVerification
from streams.log.search import SearchableLog
from streams.relay.fair_share import FairShare
from streams.relay.relay import Relay
from streams.settings import Settings
from tests.conftest import FreshDatabase, eventually
from tests.integration.deliveries import received_validated_and_processed

CONTEXT = ContextName("data_ingestion", "ingestion")
CONTROLLER = 1
"""The node that is the controller of the cluster as well; it is not the one that dies."""


class Cluster(NamedTuple):
    """Three running brokers."""

    brokers: str
    """Their bootstrap servers."""
    nodes: dict[int, Supervised]


@pytest.fixture
async def cluster(kind: str, own_folder: Path) -> AsyncIterator[Cluster]:
    if kind != "kafka" or not can_run():
        pytest.skip("THREE BROKERS NEED `--broker kafka`: the death of one was not tested")
    controller_port, *ports = free_ports(4)
    replicated = {
        "offsets.topic.replication.factor": "3",
        "min.insync.replicas": "2",
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }
    id, nodes = new_cluster(), dict[int, Supervised]()
    for node, port in enumerate(ports, CONTROLLER):
        alone = {"process.roles": "broker", "node.id": str(node), "listeners": f"PLAINTEXT://{LOOPBACK}:{port}"}
        broker = KafkaBroker(
            own_folder / f"{node}",
            own_folder / f"{node}.log",
            port,
            controller_port,
            cluster=id,
            properties=replicated if node == CONTROLLER else replicated | alone,
        )
        await broker.prepare()
        nodes[node] = Supervised(broker.process())
    await asyncio.gather(*(node.start() for node in nodes.values()))
    yield Cluster(",".join(f"{LOOPBACK}:{port}" for port in ports), nodes)
    await asyncio.gather(*(node.stop() for node in nodes.values()))


@pytest.fixture
async def settings(cluster: Cluster, fresh_database: FreshDatabase) -> Settings:
    return Settings(
        systems=["data_ingestion"],
        write_dsn=await fresh_database.migrated(),
        brokers=cluster.brokers,
        replication_factor=len(cluster.nodes),
        relay_lease_seconds=2,
        broker_timeout_seconds=5,
    )


@pytest.fixture
async def databases() -> AsyncIterator[Databases]:
    made = Databases(None, 8)
    yield made
    await made.close()


async def busiest_leader(settings: Settings, topic: str) -> int:
    """Returns the node beside the controller that leads the most partitions of a topic."""
    admin = new_admin(settings)
    await start(admin)
    (found,) = await admin.describe_topics([topic])
    await stop_quietly(admin)
    leaders = Counter(partition["leader"] for partition in found["partitions"])
    del leaders[CONTROLLER]
    return int(leaders.most_common(1)[0][0])


async def test_one_of_three_brokers_dies_under_load(
    cluster: Cluster, settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    log = SearchableLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT)
    relay = Relay(Installation(settings, catalog, databases), CONTEXT, "one", FairShare([CONTEXT]))
    relaying, is_loaded = asyncio.create_task(relay.run()), True

    async def load() -> None:
        while is_loaded:
            await received_validated_and_processed(settings, catalog, databases, 50)
            relay.wake()

    async def is_relayed_up_to(position: int) -> bool:
        async with databases.connection(settings.write_dsn) as connection:
            return bool(await connection.fetchval("select position from data_ingestion__ingestion.relay") >= position)

    async def goes_on(seconds: float) -> None:
        head = (await log.head()).position
        await eventually(lambda: is_relayed_up_to(head), seconds, f"relaying up to position {head}")

    loading = asyncio.create_task(load())
    await asyncio.sleep(3)
    await goes_on(20)
    victim = await busiest_leader(settings, Topics(settings, catalog).events(CONTEXT))
    pid = cluster.nodes[victim].pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    await goes_on(30)
    await asyncio.sleep(3)
    is_loaded = False
    await loading
    await goes_on(20)

    up_to = (await log.head()).position
    verified = await TopicVerification(settings, catalog, log).run(up_to, lambda done, total: None)
    assert (verified.found, verified.events) == (0, up_to)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
