"""A failover to a real streaming replica under load: without a loss nothing happens, and a loss is noticed and recovered."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.process import ProcessSpec
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import Supervised
from deploy.schemas.followed_events import record_followed_events
from streams.discovery import installed_catalog
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.conftest import eventually
from tests.postgres import Cluster, replicated
from tests.stack import caudal

SERVICES = ("command-api", "worker", "relay", "projectors")
CONTEXTS = ("ingestion", "validation", "processing")


class Services:
    """The processes of one system on a cluster, as a supervisor keeps them running."""

    def __init__(self, cluster: Cluster, broker: EmbeddedBroker, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.environment = {
            "CAUDAL_SYSTEMS": '["data_ingestion"]',
            "CAUDAL_WRITE_DSN": cluster.dsn,
            "CAUDAL_BROKERS": broker.bootstrap,
            "CAUDAL_FETCH_BACKOFF": "true",
            "CAUDAL_TOPIC_PREFIX": f"test{uuid4().hex[:12]}",
            "CAUDAL_RELAY_LEASE_SECONDS": "2",
            "CAUDAL_STALL_SECONDS": "1",
        }
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self.processes = {name: Supervised(self._spec(name, port)) for name, port in self.ports.items()}
        self.client = httpx.AsyncClient(timeout=20)

    async def post(self, deliveries: int) -> int:
        """Sends deliveries and returns how many were acknowledged; one that gets 503 is sent again."""
        accepted = 0
        for number in range(deliveries):
            headers = {"X-Command-Id": str(uuid4())}
            for _ in range(100):
                try:
                    answer = await self.client.post(
                        f"http://{LOOPBACK}:{self.ports['command-api']}/commands/data_ingestion/receive-data",
                        json={"partner_id": "acme", "payload": {"n": number}},
                        headers=headers,
                    )
                except httpx.HTTPError:
                    await asyncio.sleep(0.3)
                    continue
                if answer.status_code != 503:
                    accepted += answer.status_code in (200, 201)
                    break
                await asyncio.sleep(0.3)
        return accepted

    async def why_not_ready(self, name: str) -> str:
        try:
            answer = await self.client.get(f"http://{LOOPBACK}:{self.ports[name]}/readyz")
        except httpx.HTTPError:
            return "does not answer"
        return str(answer.json()["failing"])

    async def processed(self) -> int:
        connection = await asyncpg.connect(self.cluster.dsn)
        try:
            return int(
                await connection.fetchval(
                    "select count(*) from data_ingestion__ingestion__views.records where processing_status = 'processed'"
                )
            )
        finally:
            await connection.close()

    async def processed_in_the_log(self) -> int:
        connection = await asyncpg.connect(self.cluster.dsn)
        try:
            return int(
                await connection.fetchval(
                    "select count(distinct data->>'data_id') from data_ingestion__processing.events"
                    " where type = 'DataProcessed'"
                )
            )
        finally:
            await connection.close()

    async def shows(self, deliveries: int) -> None:
        count = -1

        async def there() -> bool:
            nonlocal count
            count = await self.processed()
            return count == deliveries

        try:
            await eventually(there, 60)
        except AssertionError:
            raise AssertionError(f"the view shows {count} processed deliveries, not {deliveries}") from None

    def _spec(self, name: str, port: int) -> ProcessSpec:
        async def why_not_ready() -> str | None:
            why = await self.why_not_ready(name)
            return None if why == "{}" else why

        return ProcessSpec(
            name=name,
            command=(sys.executable, "-m", "deploy.cli", "serve", name, "--port", str(port), "--end-with-parent"),
            log=self.folder / f"{name}.log",
            why_not_ready=why_not_ready,
            environment=self.environment | {"CAUDAL_INSTANCE": "one"},
        )


@asynccontextmanager
async def running(cluster: Cluster, broker: EmbeddedBroker, folder: Path) -> AsyncIterator[Services]:
    services = Services(cluster, broker, folder)
    settings, catalog = Settings(write_dsn=cluster.dsn), installed_catalog(["data_ingestion"])
    await migrate(settings, catalog)
    await record_followed_events(settings, catalog)
    keeping: Sequence[asyncio.Task[None]] = []
    try:
        await asyncio.gather(*(process.start() for process in services.processes.values()))
        keeping = [asyncio.create_task(process.keep()) for process in services.processes.values()]
        yield services
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await asyncio.gather(*(process.stop() for process in services.processes.values()))
        await services.client.aclose()


@pytest.mark.timeout(300)
async def test_a_failover_that_loses_nothing_goes_on_by_itself(broker: EmbeddedBroker, folder: Path) -> None:
    own = folder / "failover"
    async with replicated(own) as cluster, running(cluster, broker, own / "logs") as services:
        assert await services.post(20) == 20
        await services.shows(20)
        await eventually(cluster.replayed, what="the replica")

        cluster.kill_primary()
        cluster.promote()
        assert await services.post(20) == 20
        await services.shows(40)

        async def ready() -> bool:
            return [await services.why_not_ready(name) for name in SERVICES] == ["{}"] * len(SERVICES)

        await eventually(ready, 60, "readiness of all")
        code, out, err = await caudal("verify", environment=services.environment)
        assert code == 0, out + err


@pytest.mark.timeout(300)
async def test_a_failover_that_loses_commits_is_noticed_and_recovered(broker: EmbeddedBroker, folder: Path) -> None:
    own = folder / "lossy"
    async with replicated(own) as cluster, running(cluster, broker, own / "logs") as services:
        assert await services.post(20) == 20
        await services.shows(20)
        await eventually(cluster.replayed, what="the replica")
        cluster.end_replication()
        await asyncio.sleep(1)
        assert await services.post(10) == 10
        await services.shows(30)

        cluster.kill_primary()
        cluster.promote()

        async def noticed() -> bool:
            said = [await services.why_not_ready(name) for name in ("relay", "projectors", "worker")]
            return all("went back" in why and "caudal recover data_ingestion.ingestion" in why for why in said)

        await eventually(noticed, 90, "the loss")
        assert await services.post(5) == 5, "commands are accepted meanwhile"
        await asyncio.sleep(2)
        assert await services.processed() <= 20, "nothing of what is new is handled"
        for context in CONTEXTS:
            code, out, err = await caudal("recover", f"data_ingestion.{context}", "--apply", environment=services.environment)
            assert code == 0, out + err

        async def shown() -> bool:
            # Commands that lost events had caused may still be on their topics, and may be handled after the recovery as well.
            processed = await services.processed()
            return 25 <= processed <= 35 and processed == await services.processed_in_the_log()

        await eventually(shown, 60, "the deliveries of before and after")
        code, out, err = await caudal("verify", environment=services.environment)
        assert code == 0, out + err
        assert "are lost, as accepted" in out
