"""The broker that is tested: `pytest tests/conformance --broker embedded|kafka|kafka-tls|redpanda`."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.supervisor import Supervised
from streams.settings import Settings
from tests.brokers import local_broker, redpanda, settings_for

pytest.register_assert_rewrite("streams.testing.broker_contract")


@pytest.fixture(scope="session")
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--broker"))


@pytest.fixture(scope="session")
async def client_settings(kind: str, folder: Path) -> AsyncIterator[Settings]:
    """Settings for the broker of all of these tests, which keep apart by topic."""
    if kind == "redpanda":
        async with redpanda() as found:
            yield Settings(brokers=found)
        return
    broker = local_broker(kind, folder / "conformance")
    await broker.prepare()
    running = Supervised(broker.process())
    await running.start()
    yield settings_for(broker)
    await running.stop()


@pytest.fixture
def own_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="caudal-broker-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
