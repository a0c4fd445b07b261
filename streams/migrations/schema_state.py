"""The state of the databases' schemas: a process that starts before ``caudal migrate`` has run waits for it."""

import asyncio

import structlog

from schemas.catalog import Catalog
from schemas.errors import Misconfigured, Unavailable
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.migrations.migrate import central_stores, scripts
from streams.settings import Settings

_log = structlog.get_logger()


async def wait_until_migrated(settings: Settings, catalog: Catalog) -> None:
    """Returns when every database is in reach and has every migration that this code needs."""
    databases, logged = Databases(None, pool_size=1), ""
    try:
        for store, kind in _wanted(Installation(settings, catalog, databases)):
            while (missing := await _missing(store, kind)) is not None:
                if missing != logged:
                    _log.info("database awaited", why=missing)
                    logged = missing
                await asyncio.sleep(0.2)
    finally:
        await databases.close()


async def missing_migrations(installation: Installation) -> list[str]:
    """Returns a sentence for each schema that is out of reach, or lacks a migration that this code needs."""
    found = await asyncio.gather(*(_missing(store, kind) for store, kind in _wanted(installation)))
    return list(dict.fromkeys(filter(None, found)))


def _wanted(installation: Installation) -> list[tuple[Store, str]]:
    """Returns every store of an installation, with the kind of its scripts."""
    catalog = installation.catalog
    wanted = {(installation.log_store(context), "log") for context in catalog.contexts}
    wanted |= {(installation.view_store(context), "views") for context, _ in catalog.views()}
    wanted |= {(store, kind) for kind, store in central_stores(installation).items()}
    return sorted(wanted, key=lambda one: (one[0].dsn, one[0].schema))


async def _missing(store: Store, kind: str) -> str | None:
    try:
        if not await store.fetchval("migrations_there"):
            return f"the schema {store.schema} does not exist yet: run `caudal migrate`"
        applied = {row["name"] for row in await store.fetch("migrations")}
    except (Unavailable, Misconfigured) as error:
        return error.detail
    lacking = {script.stem for script in scripts(kind)} - applied
    return f"the schema {store.schema} lacks {', '.join(sorted(lacking))}: run `caudal migrate`" if lacking else None
