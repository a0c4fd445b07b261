"""The real parts that tests use: a PostgreSQL server, a broker, and fresh databases in the one server."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import structlog

from deploy.local.ports import free_ports
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.servers.postgres import EmbeddedPostgres
from deploy.local.supervisor import Supervised
from schemas.catalog import Catalog
from schemas.system import ENGINE
from streams.discovery import installed_catalog
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.databases import database_of, in_database
from tests.stack import RunningStack, running_stack


@dataclass(frozen=True)
class FreshDatabase:
    """A database of a test's own, once it is made."""

    dsn: str
    catalog: Catalog

    async def empty(self) -> str:
        """Makes it without anything in it."""
        name = database_of(self.dsn)
        connection = await asyncpg.connect(in_database(self.dsn, "postgres"))
        try:
            await connection.execute(f"create database {name}")
        finally:
            await connection.close()
        return self.dsn

    async def migrated(self) -> str:
        """Makes it one that is migrated: a copy, because that takes a tenth of the time."""
        name = database_of(self.dsn)
        connection = await asyncpg.connect(in_database(self.dsn, "postgres"))
        try:
            template = "_".join(["migrated", *self.catalog.systems])
            if not await connection.fetchval("select true from pg_database where datname = $1", template):
                await connection.execute(f"create database {template}")
                await migrate(Settings(write_dsn=in_database(self.dsn, template)), self.catalog)
            await connection.execute(f"create database {name} template {template}")
        finally:
            await connection.close()
        return self.dsn


@pytest.fixture(autouse=True, scope="session")
def _plain_tracebacks() -> None:
    """Logs tracebacks without the values of variables, as every process does: the default renders a thousand lines of them."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])


def pytest_addoption(parser: pytest.Parser) -> None:
    kinds = ("embedded", "kafka", "kafka-tls", "redpanda")
    parser.addoption("--broker", choices=kinds, default="embedded", help="The broker to run on.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the tests of the shared stack last, because even an idle stack slows other tests down."""
    items.sort(key=lambda item: "stack" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
async def stack(request: pytest.FixtureRequest) -> AsyncIterator[RunningStack]:
    """One stack for all tests that leave it as they found it."""
    broker = request.config.getoption("--broker")
    arguments = ("--ephemeral", "--broker", broker)
    async with running_stack(*arguments, environment={"CAUDAL_SIGNING_INTERVAL_SECONDS": "0.5"}) as running:
        yield running


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder for the parts of this run; not pytest's own, which only root may enter."""
    made = Path(tempfile.mkdtemp(prefix="caudal-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """One system and the engine's own: tests of what is the same for all of them. A module may say otherwise."""
    return installed_catalog(["data_ingestion"])


@pytest.fixture(scope="session")
async def postgres(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL server for the whole run."""
    server = EmbeddedPostgres(folder / "postgres", folder / "logs" / "postgres.log", free_ports(1)[0])
    await server.prepare()
    running = Supervised(server.process())
    await running.start()
    yield server
    await running.stop()


@pytest.fixture(scope="session")
async def broker(folder: Path) -> AsyncIterator[EmbeddedBroker]:
    """A Kafka-protocol broker for the whole run; tests keep apart by topic prefix."""
    server = EmbeddedBroker(folder / "broker", folder / "logs" / "broker.log", free_ports(1)[0])
    running = Supervised(server.process())
    await running.start()
    yield server
    await running.stop()


@pytest.fixture
async def fresh_database(postgres: EmbeddedPostgres, catalog: Catalog) -> AsyncIterator[FreshDatabase]:
    """A database of the test's own in the run's server, dropped afterwards."""
    name = f"test_{uuid4().hex}"
    yield FreshDatabase(in_database(postgres.dsn, name), catalog)
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"drop database if exists {name} with (force)")
    await connection.close()


async def eventually(condition: object, seconds: float = 15, what: str = "it") -> None:
    """Waits until an async condition holds; fails after a while."""
    assert callable(condition)
    give_up = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < give_up, f"{what} did not happen within {seconds} s"
        await asyncio.sleep(0.05)


@pytest.fixture
async def settings(fresh_database: FreshDatabase, broker: EmbeddedBroker, catalog: Catalog) -> Settings:
    """Settings for a deployment of the test's own: its database, and its prefix on the run's broker."""
    return Settings(
        systems=[name for name in catalog.systems if name != ENGINE],
        write_dsn=await fresh_database.migrated(),
        brokers=broker.bootstrap,
        fetch_backoff=True,
        profile="seed",  # as on a stack of `caudal up`
        topic_prefix=f"test{uuid4().hex[:12]}",
        relay_lease_seconds=1,
        stall_seconds=1,
    )
