"""The broker that is held to what the engine relies on: `pytest tests/conformance --broker embedded|kafka|redpanda`."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.supervisor import Supervised
from streams.broker.clients import started_producer
from streams.settings import Settings
from tests.brokers import local_broker, redpanda


@pytest.fixture(scope="session")
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--broker"))


@pytest.fixture(scope="session")
async def bootstrap(kind: str, folder: Path) -> AsyncIterator[str]:
    """A broker for all of these tests, which keep apart by topic."""
    if kind == "redpanda":
        async with redpanda() as found:
            yield found
        return
    broker = local_broker(kind, folder / "conformance")
    await broker.prepare()
    running = Supervised(broker.process())
    await running.start()
    yield broker.bootstrap
    await running.stop()


@pytest.fixture
def own_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="caudal-broker-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def topic() -> str:
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def settings(bootstrap: str) -> Settings:
    return Settings(brokers=bootstrap)


@pytest.fixture
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    made = await started_producer(settings)
    yield made
    await made.stop()
