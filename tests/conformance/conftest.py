"""The broker that is tested: `pytest tests/conformance --broker embedded|kafka|redpanda`."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.supervisor import Supervised
from tests.brokers import local_broker, redpanda

pytest.register_assert_rewrite("streams.testing.broker_contract")


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
