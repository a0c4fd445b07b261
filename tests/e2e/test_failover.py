"""A failover to a real streaming replica under load: without a loss nothing happens, and a loss is noticed and recovered."""

import asyncio
from pathlib import Path

import pytest

from deploy.local.servers.embedded_broker import EmbeddedBroker
from tests.conftest import eventually
from tests.postgres import replicated
from tests.services import services_on


@pytest.mark.timeout(300)
async def test_a_failover_that_loses_nothing_goes_on_by_itself(broker: EmbeddedBroker, folder: Path) -> None:
    own = folder / "failover"
    async with (
        replicated(own) as cluster,
        services_on(cluster.dsn, broker, own / "logs") as services,
        services.running(),
    ):
        assert await services.post(20) == 20
        await services.shows(20)
        await eventually(cluster.replayed, what="the replica")

        await cluster.kill_primary()
        await cluster.promote()
        assert await services.post(20) == 20
        await services.shows(40)
        await services.become_ready()
        await services.verify()


@pytest.mark.timeout(300)
async def test_a_failover_that_loses_commits_is_noticed_and_recovered(broker: EmbeddedBroker, folder: Path) -> None:
    own = folder / "lossy"
    async with (
        replicated(own) as cluster,
        services_on(cluster.dsn, broker, own / "logs") as services,
        services.running(),
    ):
        assert await services.post(20) == 20
        await services.shows(20)
        await eventually(cluster.replayed, what="the replica")
        cluster.end_replication()
        await asyncio.sleep(1)
        assert await services.post(10) == 10
        await services.shows(30)

        await cluster.kill_primary()
        await cluster.promote()
        await services.notice_loss()
        assert await services.post(5) == 5, "commands are accepted meanwhile"
        await asyncio.sleep(2)
        assert await services.processed() <= 20, "nothing of what is new is handled"
        assert "data_ingestion.ingestion" in await services.recover()

        await services.agree_with_the_log(at_least=25, at_most=35)
        assert "are lost, as accepted" in await services.verify()
