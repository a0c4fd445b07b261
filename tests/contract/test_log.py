"""The contract of logs: PostgreSQL and the log in memory keep the same promises."""

from collections.abc import AsyncIterator

import pytest

from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.appending import AppendablePostgresLog
from streams.log.memory import MemoryLog
from streams.log.reading import AppendableLog
from streams.testing.log_contract import LogContract
from tests.conftest import FreshDatabase

CONTEXT = ContextName("data_ingestion", "ingestion")


class TestMemoryLog(LogContract):
    @pytest.fixture
    def log(self) -> AppendableLog:
        return MemoryLog(CONTEXT)


class TestPostgresLog(LogContract):
    @pytest.fixture
    async def log(self, fresh_database: FreshDatabase) -> AsyncIterator[AppendableLog]:
        databases = Databases("caudal_writer", 4)
        yield AppendablePostgresLog(Store.of_log(databases, await fresh_database.migrated(), CONTEXT), CONTEXT, 4)
        await databases.close()
