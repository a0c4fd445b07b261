"""Fixtures of the integration tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from schemas.catalog import Catalog
from schemas.system import ENGINE, ContextName
from streams.database.pools import Databases
from streams.integrity.signing import Signer, make_keys
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from tests.conftest import FreshDatabase
from tests.integration.deliveries import received_validated_and_processed


@pytest.fixture(autouse=True)
def _commands_know_the_systems(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the `caudal` command see the test's catalog as the installed one."""
    monkeypatch.setenv("CAUDAL_SYSTEMS", ",".join(name for name in catalog.systems if name != ENGINE))


@pytest.fixture
async def databases() -> AsyncIterator[Databases]:
    """Connections in the role that may do everything."""
    made = Databases(None, 16)
    yield made
    await made.close()


@pytest.fixture
async def owner(fresh_database: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the operator, who may act as the owner of everything, to a migrated database."""
    connection = await asyncpg.connect(await fresh_database.migrated())
    yield connection
    await connection.close()


@pytest.fixture
async def logs(settings: Settings, catalog: Catalog, databases: Databases) -> dict[ContextName, list[StoredEvent]]:
    """Forty deliveries, received, validated and processed; every row by context."""
    return await received_validated_and_processed(settings, catalog, databases)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """A signer with keys of its own, ``signing.pem`` and ``public.pem``."""
    make_keys(tmp_path / "signing.pem", tmp_path / "public.pem")
    return Signer(tmp_path / "signing.pem")
