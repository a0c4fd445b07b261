"""Migrations of the schemas of databases: forward only, under an advisory lock, safe to run twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.system import ContextName
from schemas.view import View
from streams.database.pools import Connection, Databases
from streams.database.store import SQL, Store
from streams.database.view_tables import definition, table_of
from streams.installation import Installation, integration_store
from streams.integration_topics.registration import register
from streams.migrations.view_shapes import declared_shape, table_shape, wrong_shape
from streams.settings import Settings

EVENTS_A_TABLE = 10_000_000
"""The number of events in one table of a log."""

_REFILL = "has changed its shape: it is filled from the log again"
_LOCK = 0x43415544414C  # "CAUDAL"


async def migrate(settings: Settings, catalog: Catalog, *, recreate_views: bool = False) -> list[str]:
    """Brings every database to the state that the installed systems need and returns what it did, a line each.

    Then it registers the integration topics.

    Connects as the DSN's own user and acts as ``caudal_owner``, the owner of everything. ``recreate_views`` creates a view
    whose declared shape has changed again, empty: the projectors refill it from the log (`is_refill` of its line). Raises
    `Misconfigured` if that is necessary and ``recreate_views`` is false, and `Unavailable` if a database or the schema registry
    is out of reach.
    """
    databases = Databases(None, pool_size=1)
    installation = Installation(settings, catalog, databases)
    done: list[str] = []
    try:
        for context, declared in catalog.contexts.items():
            async with _exclusively(store := installation.log_store(context)) as connection:
                values = {"{partitions}": str(declared.partitions), "{events_a_table}": str(EVENTS_A_TABLE)}
                done += await _apply(connection, store, "log", values)
                await _check_partitions(connection, store, context, declared.partitions)
        for kind, store in central_stores(installation).items():
            async with _exclusively(store) as connection:
                done += await _apply(connection, store, kind, {})
        for context, view in catalog.views():
            async with _exclusively(store := installation.view_store(context)) as connection:
                done += await _apply(connection, store, "views", {})
                done += await _make_view(connection, store, context, view, recreate=recreate_views)
    finally:
        await databases.close()
    return [*done, *await register(settings, catalog)]


def central_stores(installation: Installation) -> dict[str, Store]:
    """Returns the stores that a deployment has once, by the kind of their scripts."""
    integration = integration_store(installation.settings, installation.databases)
    return {"keys": installation.keys_store, "limits": installation.limits_store, "integration": integration}


def is_refill(done: str) -> bool:
    """Returns whether a line of `migrate` is about a view that was recreated, and is filled from the log again."""
    return done.endswith(_REFILL)


def scripts(kind: str) -> list[Path]:
    """Returns the scripts of a kind of schema, in order: a central one, or ``log`` and ``views`` with subscriptions.

    Each runs once. The rights of the roles are a file beside them, which runs whenever they are not complete.
    """
    parts = ("subscriptions", kind) if kind in ("log", "views") else (kind,)
    return [script for part in parts for script in sorted((SQL / part).glob("0*.sql"))]


@asynccontextmanager
async def _exclusively(store: Store) -> AsyncIterator[Connection]:
    async with store.transaction() as connection:
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute((SQL / "roles.sql").read_text())
        await connection.execute(_filled(SQL / "owners.sql", {"{schema}": store.schema}))
        await connection.execute("set local role caudal_owner")
        yield connection


async def _apply(connection: Connection, store: Store, kind: str, values: dict[str, str]) -> list[str]:
    values = {"{schema}": store.schema, **values}
    await connection.execute(_filled(SQL / "migrations.sql", values))
    applied = {row["name"] for row in await connection.fetch(store.sql("migrations"))}
    done = []
    for script in scripts(kind):
        if script.stem not in applied:
            await connection.execute(_filled(script, values))
            await connection.execute(store.sql("migration_done"), script.stem)
            done.append(f"{store.schema}: {script.stem}")
    if done or not await connection.fetchval(store.sql("rights_complete")):
        await connection.execute(_filled(SQL / kind / "rights.sql", values))
        done = done or [f"{store.schema}: rights"]
    return done


async def _check_partitions(connection: Connection, store: Store, context: ContextName, declared: int) -> None:
    row = await connection.fetchrow(store.sql("head"))
    made_with = len(row["partition_heads"]) if row else 0
    if made_with != declared:
        raise Misconfigured(
            f"the log of {context} has {made_with} partitions, but {declared} are declared: "
            "declare the old number, a log is never repartitioned in place"
        )


async def _make_view(
    connection: Connection, store: Store, context: ContextName, view: type[View], *, recreate: bool
) -> list[str]:
    shape = declared_shape(context, view)
    recorded = await table_shape(connection, store, view)
    if recorded == shape:
        return []
    name, done = f"{context.system}.{view.view_name}", f"{store.schema}: view {view.view_name}"
    if recorded is not None:
        if not recreate:
            raise Misconfigured(wrong_shape(context, view))
        await _drop_versions(connection, store, name, view.view_name)
        done = f"the view {name} {_REFILL}"
    for line in definition(table_of(context, view)):
        await connection.execute(line)
    await connection.execute(store.sql("version_define"), view.view_name, shape)
    return [done]


async def _drop_versions(connection: Connection, store: Store, subscription: str, view: str) -> None:
    """Drops the live version of a view, and those beside it, whose indexes have the names of the live one's."""
    beside = await connection.fetchrow(store.sql("rebuild_state"), view) or {"building": None, "previous": None}
    versions = {view: subscription}
    if beside["building"] is not None:
        versions[beside["building"]] = f"{subscription}#{beside['building']}"
    if beside["previous"] is not None:
        versions[beside["previous"]] = f"{subscription}#previous"
    for table, name in versions.items():
        await connection.execute(store.sql("version_drop"), table)
        for query in ("checkpoints_delete", "dead_letters_delete"):
            await connection.execute(store.sql(query), name)
    await connection.execute(store.sql("rebuild_finish"), view, None, None, None)


def _filled(script: Path, values: dict[str, str]) -> str:
    text = script.read_text()
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text
