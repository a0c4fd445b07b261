"""The contract of brokers, on each broker that the engine supports."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.supervisor import Supervised
from streams.settings import Settings
from streams.testing.broker_contract import BrokerContract, RestartableBroker
from tests.brokers import local_broker, settings_for


class TestBroker(BrokerContract):
    @pytest.fixture
    def settings(self, client_settings: Settings) -> Settings:
        return client_settings

    @pytest.fixture
    def holds_empty_fetches(self, kind: str) -> bool:
        return kind != "embedded"

    @pytest.fixture
    async def restartable(self, kind: str, own_folder: Path) -> AsyncIterator[RestartableBroker | None]:
        if kind == "redpanda":  # the container is that of all tests
            yield None
            return
        broker = local_broker(kind, own_folder)
        await broker.prepare()
        running = Supervised(broker.process())
        await running.start()

        async def restart() -> None:
            nonlocal running
            await running.stop()
            running = Supervised(broker.process())
            await running.start()

        yield RestartableBroker(settings_for(broker), restart)
        await running.stop()
