"""Reads of many schemas that begin at the same time: one statement, and the answers of each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from schemas.errors import SchemaMismatch, Unavailable
from streams.database.merged_reads import MergedReads
from streams.database.pools import Connection, Databases
from tests.conftest import FreshDatabase

HEAD = "select position, text from {schema}.head where id = $1 and position >= $2 -- with a comment at its end"


class Counted:
    """The connections of a database, and how many were lent."""

    def __init__(self, databases: Databases, dsn: str) -> None:
        self._databases, self._dsn, self.lent = databases, dsn, 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Connection]:
        self.lent += 1
        async with self._databases.connection(self._dsn) as connection:
            yield connection


@pytest.fixture
async def counted(fresh_database: FreshDatabase) -> AsyncIterator[Counted]:
    dsn = await fresh_database.empty()
    connection = await asyncpg.connect(dsn)
    for number in range(70):
        await connection.execute(f"create schema s{number}; create table s{number}.head (id int, position bigint, text text)")
        await connection.execute(f"insert into s{number}.head values (1, {number}, null), (2, {100 + number}, 'two')")
    await connection.close()
    databases = Databases(None, 2)
    yield Counted(databases, dsn)
    await databases.close()


def read(number: int | str) -> str:
    return HEAD.format(schema=f"s{number}")


async def test_reads_of_one_time_are_few_statements_and_each_gets_its_row(counted: Counted) -> None:
    merged = MergedReads(counted)

    wanted = [(number, id) for number in range(70) for id in (1, 2, 3)]
    found = await asyncio.gather(*(merged.row("head", read(number), (id, 0)) for number, id in wanted))

    rows: dict[tuple[int, int], object] = dict(zip(wanted, found, strict=True))
    assert all(rows[number, 1] == {"position": number, "text": None} for number in range(70))
    assert all(rows[number, 2] == {"position": 100 + number, "text": "two"} for number in range(70))
    assert {rows[number, 3] for number in range(70)} == {None}
    assert counted.lent == 4, "of 210 reads at most 64 are together"


async def test_the_same_read_is_made_once_and_reads_of_other_names_apart(counted: Counted) -> None:
    merged = MergedReads(counted)

    found = await asyncio.gather(*(merged.row(name, read(5), (1, 0)) for name in ("head", "head", "other")))

    assert found == [{"position": 5, "text": None}] * 3
    assert counted.lent == 2


async def test_a_schema_that_is_missing_fails_its_own_read_alone(counted: Counted) -> None:
    merged = MergedReads(counted)

    found = await asyncio.gather(*(merged.row("head", read(one), (1, 0)) for one in (1, "x", 2)), return_exceptions=True)

    assert found[0] == {"position": 1, "text": None}
    assert isinstance(found[1], SchemaMismatch)
    assert found[2] == {"position": 2, "text": None}


async def test_one_who_gives_up_takes_nothing_from_the_others(counted: Counted) -> None:
    merged = MergedReads(counted)
    given_up, other = (asyncio.create_task(merged.row("head", read(3), (1, 0))) for _ in range(2))
    await asyncio.sleep(0)

    given_up.cancel()

    assert await other == {"position": 3, "text": None}


async def test_all_fail_while_the_database_is_out_of_reach() -> None:
    databases = Databases(None, 2)
    merged = databases.merged("postgresql://127.0.0.1:1/nowhere")

    found = await asyncio.gather(*(merged.row("head", read(one), (1, 0)) for one in (1, 2)), return_exceptions=True)

    assert [type(one) for one in found] == [Unavailable, Unavailable]
    await databases.close()


async def test_after_the_close_nothing_is_read(counted: Counted) -> None:
    merged = MergedReads(counted)
    waiting = asyncio.create_task(merged.row("head", read(4), (1, 0)))
    await asyncio.sleep(0)

    await merged.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0.01)
    assert counted.lent == 0


async def test_a_statement_of_many_reads_is_prepared_once(counted: Counted) -> None:
    merged = MergedReads(counted)
    long = "select position, text -- " + "x" * 1000 + "\nfrom {schema}.head where id = $1"
    for _ in range(3):
        reads = (merged.row("head", long.format(schema=f"s{number}"), (1,)) for number in range(64))
        assert [row and row["position"] for row in await asyncio.gather(*reads)] == list(range(64))

    async with counted() as connection:
        prepared = await connection.fetch("select statement from pg_prepared_statements where length(statement) > 60000")
    assert len(prepared) == 1
