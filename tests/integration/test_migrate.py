"""Migrations: forward only, twice at once, with rights that make the log append-only."""

import asyncio
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from deploy.local.servers.postgres import EmbeddedPostgres
from projectors.rebuild import Rebuild
from schemas.catalog import Catalog
from schemas.data_ingestion import SYSTEM
from schemas.data_ingestion.records import Records
from schemas.envelope import Receipt
from schemas.errors import Misconfigured
from schemas.system import Context, ContextName, System
from schemas.view import View
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.log.appending import AppendablePostgresLog
from streams.log.stored_events import StoredEvent
from streams.migrations.migrate import is_refill, migrate, scripts
from streams.settings import Settings
from streams.subscriptions.process_deaths.attempts import Attempt, Attempts
from tests.conftest import FreshDatabase
from tests.databases import database_of, in_database
from tests.integration.deliveries import RECORDS
from tests.integration.test_growth import append
from tests.postgres import dump, postgres_at, restore

INGESTION = ContextName("data_ingestion", "ingestion")


async def test_migrating_twice_at_once_does_everything_once(fresh_database: FreshDatabase) -> None:
    settings = Settings(write_dsn=await fresh_database.empty())

    done = await asyncio.gather(*(migrate(settings, fresh_database.catalog) for _ in range(3)))

    assert sorted(map(len, done))[:2] == [0, 0]
    catalog = fresh_database.catalog
    homes = [home for home, _ in catalog.views()]
    wanted = [
        len(catalog.contexts) * scripts("log"),
        len(set(homes)) * scripts("views"),
        *map(scripts, ("keys", "limits", "integration")),
    ]
    assert len(max(done, key=len)) == sum(map(len, wanted)) + len(homes)
    assert await migrate(settings, fresh_database.catalog) == []


@pytest.mark.parametrize("role", ["caudal_writer", "caudal_projector", "caudal_reader"])
@pytest.mark.parametrize(
    "attempt",
    [
        "update data_ingestion__ingestion.events set data = '{}'",
        "delete from data_ingestion__ingestion.events",
        "truncate data_ingestion__ingestion.events",
        "insert into data_ingestion__ingestion.events default values",
        "update data_ingestion__ingestion.head set position = 0",
        "delete from data_ingestion__ingestion.receipts",
        "delete from data_ingestion__ingestion.events_from_1",
        "delete from data_ingestion__ingestion.signed_heads",
        "update data_ingestion__ingestion.signed_heads set hash = ''",
        "truncate data_ingestion__ingestion.snapshots",
        "select data_ingestion__ingestion.add_events_table()",
        "alter table data_ingestion__ingestion.events detach partition data_ingestion__ingestion.events_from_1",
        "alter table data_ingestion__ingestion.events disable trigger all",
        "drop table data_ingestion__ingestion.events",
        "drop function data_ingestion__ingestion.append",
    ],
)
async def test_no_role_but_the_owner_can_touch_the_log(fresh_database: FreshDatabase, role: str, attempt: str) -> None:
    connection = await asyncpg.connect(await fresh_database.migrated(), server_settings={"role": role})

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(attempt)

    await connection.close()


@pytest.mark.parametrize("role", ["caudal_projector", "caudal_reader"])
async def test_the_read_side_cannot_append(fresh_database: FreshDatabase, role: str) -> None:
    connection = await asyncpg.connect(await fresh_database.migrated(), server_settings={"role": role})
    nothing = ", ".join(["'{}'"] * 14 + ["null"])

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(f"select * from data_ingestion__ingestion.append({nothing})")

    await connection.close()


async def test_a_view_of_another_shape_is_recreated_only_on_request(fresh_database: FreshDatabase) -> None:
    settings = Settings(write_dsn=await fresh_database.migrated())

    class Grown(Records, View, name="records", context="ingestion", key="data_id"):
        note: str | None = None

    grown = Catalog.of([replace(SYSTEM, views=(Grown,))])

    with pytest.raises(Misconfigured, match="another shape"):
        await migrate(settings, grown)

    (done,) = await migrate(settings, grown, recreate_views=True)
    assert done == "the view data_ingestion.records has changed its shape: it is filled from the log again"
    assert is_refill(done)
    assert await migrate(settings, grown) == []


async def test_a_context_can_have_databases_of_its_own(fresh_database: FreshDatabase, postgres: EmbeddedPostgres) -> None:
    settings = Settings(
        write_dsn=await fresh_database.empty(),
        read_dsn=fresh_database.dsn,
        write_dsns={"data_ingestion.validation": postgres.dsn},
        read_dsns={"data_ingestion.ingestion": postgres.dsn},
    )

    await migrate(settings, fresh_database.catalog)

    async def schemas(dsn: str) -> set[str]:
        connection = await asyncpg.connect(dsn)
        rows = await connection.fetch("select nspname from pg_namespace where nspname like 'data_ingestion%'")
        await connection.close()
        return {row["nspname"] for row in rows}

    assert await schemas(fresh_database.dsn) == {"data_ingestion__ingestion", "data_ingestion__processing"}
    assert await schemas(postgres.dsn) == {"data_ingestion__validation", "data_ingestion__ingestion__views"}


async def test_a_log_is_never_repartitioned_in_place(fresh_database: FreshDatabase) -> None:
    settings = Settings(write_dsn=await fresh_database.migrated())
    more = System("data_ingestion", (Context("ingestion", partitions=8),))

    with pytest.raises(Misconfigured, match="has 4 partitions, but 8 are declared"):
        await migrate(settings, Catalog.of([more]))


async def test_a_view_that_was_rebuilt_before_is_recreated_with_all_its_versions(fresh_database: FreshDatabase) -> None:
    settings = Settings(write_dsn=await fresh_database.migrated())
    databases = Databases("caudal_owner", 2)
    installation = Installation(settings, Catalog.of([SYSTEM]), databases)
    rebuild = Rebuild(installation, RECORDS)
    assert await rebuild.switch(await rebuild.view.begin(again=False)) is not None
    await rebuild.view.begin(again=False)
    attempts = Attempts(installation.view_store(RECORDS.home), RECORDS.full_name)
    await attempts.note({(RECORDS.home, 0): Attempt(1, 9, 0)})

    class Grown(Records, View, name="records", context="ingestion", key="data_id"):
        note: str | None = None

    grown = Catalog.of([replace(SYSTEM, views=(Grown,))])
    assert len(await migrate(settings, grown, recreate_views=True)) == 1

    versions = await rebuild.view.versions()
    assert (versions.building, versions.previous) == (None, None)
    assert await attempts.newest(RECORDS.home, 0) is None
    async with databases.connection(settings.write_dsn) as connection:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname like '%ingestion__views' and tablename like 'records%'"
        )
    assert [row["tablename"] for row in tables] == ["records"]
    await databases.close()


async def test_several_databases_of_a_new_cluster_can_be_migrated_at_once(tmp_path: Path) -> None:
    async with postgres_at(tmp_path) as server:
        connection = await asyncpg.connect(server.dsn)
        names = [f"fresh_{n}" for n in range(4)]
        for name in names:
            await connection.execute(f"create database {name}")
        await connection.close()
        catalog = Catalog.of([SYSTEM])

        done = await asyncio.gather(*(migrate(Settings(write_dsn=in_database(server.dsn, name)), catalog) for name in names))

        assert len(set(map(len, done))) == 1


@pytest.mark.parametrize("left_out", ["--no-comments", "--no-owner", "--no-privileges"])
async def test_a_dump_restores_without_comments_owners_or_rights(
    fresh_database: FreshDatabase, settings: Settings, logs: dict[ContextName, list[StoredEvent]], left_out: str
) -> None:
    restored = f"{database_of(settings.write_dsn)}_restored"
    connection = await asyncpg.connect(in_database(settings.write_dsn, "postgres"))
    await connection.execute(f"create database {restored}")
    await connection.close()
    moved = settings.model_copy(update={"write_dsn": in_database(settings.write_dsn, restored)})
    await restore(moved.write_dsn, await dump(settings.write_dsn, left_out))

    done = await migrate(moved, fresh_database.catalog)
    assert await migrate(moved, fresh_database.catalog) == []

    assert bool(done) == (left_out == "--no-privileges"), "owners are set right without a word"
    writer = Databases("caudal_writer", 1)
    log = AppendablePostgresLog(Store.of_log(writer, moved.write_dsn, INGESTION), INGESTION, 4)
    (answer,) = await log.append([append("a-1")])
    assert isinstance(answer, Receipt)
    assert len(await log.read(0, 1000)) == len(logs[INGESTION]) + 1
    await writer.close()
    owner = await asyncpg.connect(moved.write_dsn)
    assert (
        await owner.fetchval("select proowner::regrole::text from pg_proc where proname = 'append' limit 1") == "caudal_owner"
    )
    assert not await owner.fetchval(
        "select has_function_privilege('caudal_reader', p.oid, 'execute') from pg_proc p where proname = 'append' limit 1"
    )
    await owner.close()
