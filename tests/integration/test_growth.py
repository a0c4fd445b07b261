"""A log that grows old: tables of events are made ahead of need, receipts expire by the week."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata, Receipt
from schemas.expected_version import ANY_VERSION
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.log.appending import AppendablePostgresLog
from streams.log.reading import Append, Write
from streams.log.stored_events import encode
from streams.relay.maintenance import ReceiptsPurge
from streams.settings import Settings
from tests.conftest import FreshDatabase, eventually
from tests.integration.aged_receipts import add_receipts_of_last_week, age_receipts, tables_of

CONTEXT = ContextName("data_ingestion", "ingestion")
SCHEMA = "data_ingestion__ingestion"


@pytest.fixture
async def log(fresh_database: FreshDatabase, owner: asyncpg.Connection) -> AsyncIterator[AppendablePostgresLog]:
    databases = Databases("caudal_writer", 4)
    yield AppendablePostgresLog(Store.of_log(databases, fresh_database.dsn, CONTEXT), CONTEXT, 4)
    await databases.close()


def append(stream: str) -> Append:
    id = uuid4()
    event = DataIngested(data_id=id, partner_id="acme", payload={})
    metadata = Metadata(command_id=id, correlation_id="c")
    return Append(command_id=id, fingerprint=b"x", metadata=metadata, writes=(Write(stream, ANY_VERSION, (encode(event),)),))


async def test_tables_of_events_are_made_ahead_of_need(log: AppendablePostgresLog, owner: asyncpg.Connection) -> None:
    await owner.execute(f"drop table {SCHEMA}.events_from_1")
    await owner.execute(f"update {SCHEMA}.head set events_up_to = 1, events_a_table = 100")

    async def write() -> None:
        for n in range(50):
            await log.append([append(f"s-{n}"), append("hot-1")])

    await asyncio.gather(*(write() for _ in range(4)))

    made = await tables_of(owner, SCHEMA, "events")
    assert made[:4] == ["events_from_1", "events_from_101", "events_from_201", "events_from_301"]
    assert await owner.fetchval(f"select count(*) from {SCHEMA}.{made[-1]}") == 0
    assert [row.position for row in await log.read(0, 1000)] == list(range(1, 401))
    assert [row.version for row in await log.read_stream("hot-1")] == list(range(1, 201))
    assert [row.version for row in await log.read_stream("hot-1", 150, 10)] == list(range(151, 161))
    assert len(await log.read_stream("s-7")) == 4


async def test_a_read_of_a_stream_looks_into_no_table_that_cannot_hold_it(
    log: AppendablePostgresLog, owner: asyncpg.Connection
) -> None:
    await owner.execute(f"update {SCHEMA}.head set events_up_to = 11, events_a_table = 10")
    await owner.execute(f"alter table {SCHEMA}.events detach partition {SCHEMA}.events_from_1")
    await owner.execute(f"alter table {SCHEMA}.events attach partition {SCHEMA}.events_from_1 for values from (1) to (11)")
    for n in range(60):
        await log.append([append(f"s-{n}")])

    statement = (await asyncio.to_thread(_read_stream)).replace("{schema}", SCHEMA)
    for number, value in (("$1", "'s-25'"), ("$2", "0"), ("$3", "10"), ("$4", "1000")):
        statement = statement.replace(number, value)
    plan = "\n".join(row[0] for row in await owner.fetch(f"explain analyze {statement}"))

    assert len(await log.read_stream("s-25")) == 1
    assert "events_from_21" in plan
    scanned = [line for line in plan.splitlines() if "on events_from_" in line and "never executed" not in line]
    assert len(scanned) == 1, plan


def _read_stream() -> str:
    from streams.database.store import SQL

    return (SQL / "queries" / "read_stream.sql").read_text()


async def test_receipts_expire_by_the_week_and_the_first_answer_with_them(
    log: AppendablePostgresLog, owner: asyncpg.Connection
) -> None:
    old, fresh = append("a-1"), append("b-1")
    await log.append([old])
    await age_receipts(owner, SCHEMA)
    await log.append([fresh])
    assert await log.purge_receipts(timedelta(days=7)) == [], "there is no second newer table with receipts"
    await add_receipts_of_last_week(owner, SCHEMA)
    assert set(await log.answers([old.command_id, fresh.command_id])) == {old.command_id, fresh.command_id}

    dropped = await log.purge_receipts(timedelta(days=7))

    assert len(dropped) == 1
    assert set(await log.answers([old.command_id, fresh.command_id])) == {fresh.command_id}
    assert await log.purge_receipts(timedelta(days=7)) == []
    assert await log.purge_receipts(timedelta(days=-1000)) == [], "also if the writer asks for more"
    await log.append([append("c-1")])


async def test_the_relay_of_a_log_drops_expired_partitions(
    log: AppendablePostgresLog, owner: asyncpg.Connection, fresh_database: FreshDatabase
) -> None:
    await owner.execute(f"create table {SCHEMA}.receipts_from_20200106 (like {SCHEMA}.receipts including all)")
    await owner.execute(
        f"alter table {SCHEMA}.receipts attach partition {SCHEMA}.receipts_from_20200106"
        " for values from ('2020-01-06 00:00Z') to ('2020-01-13 00:00Z')"
    )
    await owner.execute(f"alter table {SCHEMA}.receipts_from_20200106 owner to caudal_owner")
    databases = Databases("caudal_writer", 1)
    settings = Settings(write_dsn=fresh_database.dsn)
    owned: list[ContextName] = []
    purging = asyncio.create_task(ReceiptsPurge(Installation(settings, fresh_database.catalog, databases)).run(lambda: owned))

    async def is_there() -> bool:
        return "receipts_from_20200106" in await tables_of(owner, SCHEMA, "receipts")

    async def is_gone() -> bool:
        return not await is_there()

    await asyncio.sleep(1.5)
    assert await is_there(), "another process relays this log"
    owned.append(CONTEXT)
    await eventually(is_gone)

    purging.cancel()
    await asyncio.gather(purging, return_exceptions=True)
    await databases.close()


async def test_a_long_pause_leaves_no_hole_in_the_receipts(log: AppendablePostgresLog, owner: asyncpg.Connection) -> None:
    for name in await tables_of(owner, SCHEMA, "receipts"):
        await owner.execute(f"drop table {SCHEMA}.{name}")
    await owner.execute(f"select {SCHEMA}.cover_receipts(now() - interval '100 days')")

    (answer,) = await log.append([append("a-1")])

    assert isinstance(answer, Receipt)
    assert set(await log.answers([answer.command_id])) == {answer.command_id}
