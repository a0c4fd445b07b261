"""The processes of one system on a database of a test's own, with a client of its command API."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.process import ProcessSpec
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import Supervised
from tests.conftest import eventually
from tests.stack import caudal, fetched, service

PROCESSES = ("command-api", "worker", "relay", "projectors")
NOTICING = ("relay", "projectors", "worker")
"""The processes that are not ready while a log that went back is suspended."""


class Services:
    """The processes of ``data_ingestion``, as a supervisor keeps them running."""

    def __init__(self, dsn: str, broker: EmbeddedBroker, folder: Path) -> None:
        self._folder = folder
        self.environment = {
            "CAUDAL_SYSTEMS": "data_ingestion",
            "CAUDAL_PROFILE": "seed",
            "CAUDAL_WRITE_DSN": dsn,
            "CAUDAL_BROKERS": broker.bootstrap,
            "CAUDAL_FETCH_BACKOFF": "true",
            "CAUDAL_TOPIC_PREFIX": f"test{uuid4().hex[:12]}",
            "CAUDAL_RELAY_LEASE_SECONDS": "2",
            "CAUDAL_STALL_SECONDS": "1",
        }
        self._ports = dict(zip(PROCESSES, free_ports(len(PROCESSES)), strict=True))
        self._client = httpx.AsyncClient(timeout=20)

    @property
    def dsn(self) -> str:
        return self.environment["CAUDAL_WRITE_DSN"]

    def move_to(self, dsn: str) -> None:
        """Makes the processes that are started from now on use another database."""
        self.environment["CAUDAL_WRITE_DSN"] = dsn

    async def migrate(self) -> None:
        code, out, err = await caudal("migrate", environment=self.environment)
        assert code == 0, out + err

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the processes during the block; they need not become ready."""
        processes = [Supervised(self._spec(name, port)) for name, port in self._ports.items()]
        keeping: Sequence[asyncio.Task[None]] = []
        try:
            await asyncio.gather(*(process.start() for process in processes))
            keeping = [asyncio.create_task(process.keep()) for process in processes]
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await asyncio.gather(*(process.stop() for process in processes))

    async def close(self) -> None:
        await self._client.aclose()

    async def post(self, deliveries: int) -> int:
        """Sends deliveries and returns how many were acknowledged; one that gets 503 is sent again."""
        accepted = 0
        for number in range(deliveries):
            headers = {"X-Command-Id": str(uuid4())}
            for _ in range(100):
                try:
                    answer = await self._client.post(
                        f"http://{LOOPBACK}:{self._ports['command-api']}/commands/data_ingestion/receive-data",
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
            answer = await self._client.get(f"http://{LOOPBACK}:{self._ports[name]}/readyz")
        except httpx.HTTPError:
            return "does not answer"
        return str(answer.json()["failing"])

    async def become_ready(self) -> None:
        """Waits until all processes are ready."""

        async def ready() -> bool:
            return [await self.why_not_ready(name) for name in PROCESSES] == ["{}"] * len(PROCESSES)

        await eventually(ready, 60, "readiness of all")

    async def notice_loss(self, context: str = "ingestion") -> None:
        """Waits until each process that publishes or handles events of a log says that it went back."""
        noticing = NOTICING if context == "ingestion" else ("relay", "projectors")  # no policy follows the others

        said: list[str] = []

        async def noticed() -> bool:
            nonlocal said
            said = [await self.why_not_ready(name) for name in noticing]
            return all("went back" in why and f"caudal recover data_ingestion.{context}" in why for why in said)

        try:
            await eventually(noticed, 90)
        except AssertionError:
            raise AssertionError(f"the loss is not noticed: {said}") from None

    async def recover(self) -> set[str]:
        """Runs what ``caudal status`` says until it names no log any more; returns the contexts that were recovered."""
        recovered = set()
        whys: list[str] = []

        async def nothing_left() -> bool:
            nonlocal whys
            _, said, _ = await caudal("status", environment=self.environment)
            found = set(re.findall(r"caudal recover (\S+?)`", said))
            for context in found:
                recovered.add(context)
                code, out, err = await caudal("recover", context, "--apply", environment=self.environment)
                assert code == 0, out + err
            whys = [await self.why_not_ready(name) for name in NOTICING]
            return not found and whys == ["{}"] * len(NOTICING)

        try:
            await eventually(nothing_left, 60)
        except AssertionError:
            raise AssertionError(f"recovered {sorted(recovered)}, but not ready: {whys}") from None
        return recovered

    async def verify(self) -> str:
        """Runs ``caudal verify``, which must find no difference; returns what it says."""
        code, out, err = await caudal("verify", environment=self.environment)
        assert code == 0, out + err
        return out

    async def processed(self) -> int:
        """Returns the number of deliveries that the view shows as processed."""
        return await self._count(
            "select count(*) from data_ingestion__ingestion__views.records where processing_status = 'processed'"
        )

    async def processed_in_the_log(self) -> int:
        """Returns the number of deliveries that the log of their processing has as processed."""
        return await self._count(
            "select count(distinct data->>'data_id') from data_ingestion__processing.events where type = 'DataProcessed'"
        )

    async def shows(self, deliveries: int) -> None:
        """Waits until the view shows so many deliveries as processed."""
        count = -1

        async def there() -> bool:
            nonlocal count
            count = await self.processed()
            return count == deliveries

        try:
            await eventually(there, 60)
        except AssertionError:
            raise AssertionError(f"the view shows {count} processed deliveries, not {deliveries}") from None

    async def agree_with_the_log(self, at_least: int, at_most: int | None = None) -> None:
        """Waits until the view shows as many processed deliveries as the log has, within limits.

        Commands that lost events had caused may still be on their topics, and may be handled after a recovery as well.
        """
        counts = (-1, -1)

        async def agree() -> bool:
            nonlocal counts
            counts = await self.processed(), await self.processed_in_the_log()
            return at_least <= counts[0] == counts[1] and (at_most is None or counts[0] <= at_most)

        try:
            await eventually(agree, 60)
        except AssertionError:
            raise AssertionError(f"the view shows {counts[0]} processed deliveries, the log has {counts[1]}") from None

    async def _count(self, sql: str) -> int:
        (row,) = await fetched(self.dsn, sql)
        return int(row["count"])

    def _spec(self, name: str, port: int) -> ProcessSpec:
        async def why_not_ready() -> str | None:
            why = await self.why_not_ready(name)
            return None if why == "{}" or "went back" in why else why

        return service(name, port, self._folder, self.environment | {"CAUDAL_INSTANCE": "one"}, why_not_ready)


@asynccontextmanager
async def services_on(dsn: str, broker: EmbeddedBroker, folder: Path) -> AsyncIterator[Services]:
    """Services on a database, which is migrated; no process runs yet."""
    services = Services(dsn, broker, folder)
    await services.migrate()
    try:
        yield services
    finally:
        await services.close()
