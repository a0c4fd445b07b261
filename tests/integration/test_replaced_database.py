"""A database that takes the place of another one, as after a failover: a process that remembers the other does not use it."""

from contextlib import suppress

import asyncpg
import pytest

from schemas.errors import Misconfigured, Unavailable
from streams.database import pools
from streams.database.identity import Identities
from streams.database.pools import Databases
from streams.settings import Settings
from tests.databases import database_of, in_database


async def test_no_statement_reaches_a_database_that_took_the_place_of_another(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed: list[int] = []
    identities = Identities()
    identities.start_over = lambda: noticed.append(1)
    monkeypatch.setattr(pools, "IDENTITIES", identities)
    databases = Databases(None, 2)
    async with databases.connection(settings.write_dsn) as connection:
        await connection.execute("select")

    server = await asyncpg.connect(in_database(settings.write_dsn, "postgres"))
    name = database_of(settings.write_dsn)
    await server.execute(f'drop database "{name}" with (force)')
    await server.execute(f'create database "{name}"')
    await server.close()

    reached = 0
    for _ in range(5):
        with suppress(Unavailable, Misconfigured):  # the first connection is that of the dropped database
            async with databases.connection(settings.write_dsn) as connection:
                await connection.execute("select")
                reached += 1
    assert (reached, noticed) == (0, [1])
    await databases.close()
