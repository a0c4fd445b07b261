"""A clock that was ahead and is set right costs a delay, never data or availability. Its traces are written as it left them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from schemas.envelope import Receipt
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.appending import AppendablePostgresLog
from streams.relay.lease import Lease
from tests.conftest import FreshDatabase
from tests.integration.aged_receipts import tables_of
from tests.integration.test_growth import append

CONTEXT = ContextName("data_ingestion", "ingestion")
SCHEMA = "data_ingestion__ingestion"


@pytest.fixture
async def store(fresh_database: FreshDatabase, owner: asyncpg.Connection) -> AsyncIterator[Store]:
    databases = Databases("caudal_writer", 4)
    yield Store.of_log(databases, fresh_database.dsn, CONTEXT)
    await databases.close()


@pytest.fixture
def log(store: Store) -> AppendablePostgresLog:
    return AppendablePostgresLog(store, CONTEXT, 4)


async def jump(owner: asyncpg.Connection, ahead: str) -> None:
    """Leaves what an append and a purge leave behind while the clock is ahead."""
    await owner.execute(f"select {SCHEMA}.cover_receipts(clock_timestamp() + interval '{ahead}')")
    await owner.execute(f"update {SCHEMA}.head set recorded_at = clock_timestamp() + interval '{ahead}'")


@pytest.mark.parametrize("ahead", ["30 seconds", "8 days", "60 days", "10 years"])
async def test_appends_go_on_with_receipts(log: AppendablePostgresLog, owner: asyncpg.Connection, ahead: str) -> None:
    first = append("a-1")
    await log.append([first])
    await jump(owner, ahead)

    (answer,) = await log.append([append("b-1")])
    (repeated,) = await log.append([first])

    assert isinstance(answer, Receipt) and isinstance(repeated, Receipt)
    assert (answer.repeated, repeated.repeated) == (False, True)
    assert set(await log.answers([answer.command_id])) == {answer.command_id}


async def test_the_table_of_this_week_is_made_again_if_it_is_gone(
    log: AppendablePostgresLog, owner: asyncpg.Connection
) -> None:
    await jump(owner, "60 days")
    for name in (await tables_of(owner, SCHEMA, "receipts"))[:1]:
        await owner.execute(f"drop table {SCHEMA}.{name}")

    (answer,) = await log.append([append("b-1")])

    assert isinstance(answer, Receipt)


async def test_a_purge_while_the_clock_is_ahead_drops_no_receipt_of_the_present(
    log: AppendablePostgresLog, owner: asyncpg.Connection
) -> None:
    first = append("a-1")
    await log.append([first])
    await jump(owner, "60 days")  # the newest event is of then as well

    assert await log.purge_receipts(timedelta(days=7)) == []
    assert set(await log.answers([first.command_id])) == {first.command_id}


async def test_events_have_the_true_time_again_at_once(log: AppendablePostgresLog, owner: asyncpg.Connection) -> None:
    await log.append([append("a-1")])
    await jump(owner, "40 days")

    await log.append([append("a-1"), append("a-1")])
    before, one, other = [row.recorded_at for row in await log.read(0, 10)]

    assert before <= one == other
    assert abs(datetime.now(UTC) - one) < timedelta(minutes=1)


async def test_times_do_not_go_back_if_the_clock_is_set_back_a_little(
    log: AppendablePostgresLog, owner: asyncpg.Connection
) -> None:
    await jump(owner, "30 seconds")

    await log.append([append("a-1")])

    assert (await log.read(0, 1))[0].recorded_at > datetime.now(UTC) + timedelta(seconds=20)


async def test_a_lease_of_the_future_is_over(store: Store, owner: asyncpg.Connection) -> None:
    dead, alive = Lease(store, "dead", 10), Lease(store, "alive", 10)
    await dead.announce()
    assert await dead.take() is not None
    assert await alive.take() is None
    assert await alive.announce() == 2
    await owner.execute(f"update {SCHEMA}.relay set renewed_at = renewed_at + interval '30 days'")
    await owner.execute(f"update {SCHEMA}.relays set renewed_at = renewed_at + interval '30 days' where owner = 'dead'")

    assert not await alive.is_held()
    assert await alive.announce() == 1
    assert await alive.take() is not None
    assert await alive.is_held()


async def test_an_owner_keeps_its_lease_when_the_clock_is_set_right(store: Store, owner: asyncpg.Connection) -> None:
    lease = Lease(store, "one", 0.3)
    assert await lease.take() is not None
    await owner.execute(f"update {SCHEMA}.relay set renewed_at = renewed_at + interval '30 days'")
    lease._renewed -= 1

    assert await lease.renew_in_time()
    assert await lease.is_held()


async def test_a_dead_letter_with_a_time_beyond_the_longest_pause_is_due(store: Store, owner: asyncpg.Connection) -> None:
    await owner.execute(
        f"""insert into {SCHEMA}.dead_letters
            (subscription, source, partition, origin, position, stream, type, state, attempts, deaths, due_at,
             header_names, header_values)
        select 's', 'c.d', 0, 'o' || n, n, 'stream-' || n, 'T', 'retrying', 1, 0, clock_timestamp() + due, '{{}}', '{{}}'
        from (values (1, interval '-1 s'), (2, interval '5 s'), (3, interval '600 days')) t(n, due)"""
    )

    due = await store.fetch("dead_letters_due", "s", 600.0)
    rows = await owner.fetch(f"select id, stream from {SCHEMA}.dead_letters")
    claimed = {row["stream"] for row in rows if await store.fetchrow("dead_letter_claim", row["id"], 1, 15.0, 600.0)}

    assert {row["stream"] for row in due} == claimed == {"stream-1", "stream-3"}
