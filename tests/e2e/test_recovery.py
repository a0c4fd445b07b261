"""Backups and restores by the commands of docs/recovery.md, while work continues: what is lost is noticed and recovered."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.local.servers.embedded_broker import EmbeddedBroker
from tests.postgres import OwnPostgres, give_to_server, run_shell
from tests.recovery_document import BACKUP, DATA, MOMENT, blocks
from tests.services import Services, services_on


@pytest.fixture
def backup() -> Iterator[Path]:
    """A folder that the server reaches and may write to."""
    made = Path(tempfile.mkdtemp(prefix="caudal-backup-"))
    (made / "wal").mkdir()
    for path in (made, made / "wal"):
        path.chmod(0o755)
    give_to_server(made / "wal")
    yield made
    shutil.rmtree(made)


@asynccontextmanager
async def own_postgres(folder: Path, configuration: str = "") -> AsyncIterator[OwnPostgres]:
    postgres = OwnPostgres(folder)
    await postgres.prepare(configuration)
    await postgres.start()
    try:
        yield postgres
    finally:
        await postgres.stop()


async def process(services: Services, deliveries: int, then: int) -> None:
    """Sends deliveries, and waits until the view shows so many as processed."""
    assert await services.post(deliveries) == deliveries
    await services.shows(then)


async def back_up_at_work(services: Services, taking: str) -> None:
    """Takes a backup of the services' database between two halves of twenty deliveries, and stops the processes."""
    async with services.running():
        await process(services, 10, then=10)
        await run_shell(taking, services.dsn)
        await process(services, 10, then=20)


async def go_on(services: Services, *, lost: set[str]) -> None:
    """Starts the processes on a restored database, and recovers as the document says."""
    await services.migrate()
    async with services.running():
        await services.notice_loss(min(lost))
        before = await services.processed_in_the_log()
        assert await services.recover() == {f"data_ingestion.{context}" for context in lost}
        assert await services.post(5) == 5
        await services.become_ready()
        await services.agree_with_the_log(at_least=before + 5)
        assert "are lost, as accepted" in await services.verify()


async def test_a_dump_is_restored_into_a_new_cluster(broker: EmbeddedBroker, folder: Path, backup: Path) -> None:
    taking, restoring = (block.replace(BACKUP, str(backup)) for block in blocks("A dump"))
    own = folder / "dump"
    async with (
        own_postgres(own / "old") as old,
        own_postgres(own / "new") as new,
        services_on(old.dsn, broker, own / "logs") as services,
    ):
        await back_up_at_work(services, taking)
        await run_shell(restoring, new.dsn)
        services.move_to(new.dsn)
        await go_on(services, lost={"ingestion", "validation", "processing"})


async def test_a_cluster_is_recovered_to_a_moment(broker: EmbeddedBroker, folder: Path, backup: Path) -> None:
    configuration, taking, restoring = (block.replace(BACKUP, str(backup)) for block in blocks("A point in time"))
    own = folder / "moment"
    async with (
        own_postgres(own, configuration) as postgres,
        services_on(postgres.dsn, broker, own / "logs") as services,
    ):
        async with services.running():
            await process(services, 5, then=5)
            await run_shell(taking, postgres.dsn)
            await process(services, 5, then=10)
            await asyncio.sleep(1)
            moment = await now(postgres)
            await asyncio.sleep(1)
            await process(services, 10, then=20)

        await postgres.stop()
        await run_shell(restoring.replace(MOMENT, moment).replace(DATA, str(postgres.data)), postgres.dsn)
        await postgres.start()
        assert await services.processed() == 10
        await go_on(services, lost={"ingestion", "validation", "processing"})


@pytest.mark.parametrize("context", ["ingestion", "processing"])
async def test_one_context_is_restored_beside_the_others(
    context: str, broker: EmbeddedBroker, folder: Path, backup: Path
) -> None:
    taking, restoring = (
        block.replace(BACKUP, str(backup)).replace("ingestion__ingestion", f"ingestion__{context}")
        for block in blocks("One context")
    )
    own = folder / f"context-{context}"
    async with (
        own_postgres(own) as postgres,
        services_on(postgres.dsn, broker, own / "logs") as services,
    ):
        await back_up_at_work(services, taking)
        await run_shell(restoring, postgres.dsn)
        await go_on(services, lost={context})
        if context == "processing":  # what it lost was caused by deliveries that are still there
            assert await services.processed_in_the_log() == 25


async def now(postgres: OwnPostgres) -> str:
    connection = await asyncpg.connect(postgres.dsn)
    try:
        return str(await connection.fetchval("select now()::text"))
    finally:
        await connection.close()
