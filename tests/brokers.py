"""The brokers that the tests can run on: the embedded one, a real Apache Kafka, and Redpanda in a container."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from deploy.local.ports import free_ports
from deploy.local.process import ProcessSpec
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.servers.kafka import KafkaBroker, can_run
from streams.settings import Settings
from tests.secure_kafka import SecureKafka


class Broker(Protocol):
    """A broker that a test starts, stops and starts again."""

    @property
    def bootstrap(self) -> str: ...

    async def prepare(self) -> None: ...

    def process(self) -> ProcessSpec: ...


def local_broker(kind: str, folder: Path) -> Broker:
    """A broker of this machine's with its data in a folder; skips, aloud, what cannot run here."""
    log = folder / "logs" / f"{kind}.log"
    if kind == "embedded":
        return EmbeddedBroker(folder / "broker", log, free_ports(1)[0])
    if not can_run():
        pytest.skip("NO MAVEN OR NO JAVA: the tests on a real Apache Kafka did not run")
    if kind == "kafka-tls":
        return SecureKafka(folder / "kafka", log)
    return KafkaBroker(folder / "kafka", log, *free_ports(2))


def settings_for(broker: Broker) -> Settings:
    """The settings of a client of a broker of this machine's."""
    if isinstance(broker, SecureKafka):
        return broker.settings()
    return Settings(brokers=broker.bootstrap, fetch_backoff=isinstance(broker, EmbeddedBroker))


def engine_answers() -> bool:
    """Returns whether a container engine is running."""
    client = shutil.which("docker")
    return client is not None and subprocess.run([client, "info"], capture_output=True, check=False).returncode == 0


@asynccontextmanager
async def redpanda() -> AsyncIterator[str]:
    """Redpanda in a container: its bootstrap servers; skips the test if no container engine answers."""
    if not engine_answers():
        pytest.skip("NO CONTAINER ENGINE ANSWERS: the tests on Redpanda did not run")
    from testcontainers.community.kafka import RedpandaContainer

    with RedpandaContainer() as container:
        yield container.get_bootstrap_server()
