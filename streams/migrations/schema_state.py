"""Whether the databases are migrated: a process that starts before ``caudal migrate`` has run waits for it."""

import asyncio

import asyncpg
import structlog

from schemas.catalog import Catalog
from schemas.errors import Misconfigured, Unavailable
from streams.database.pools import Databases, log_schema, statement, views_schema
from streams.encryption import subject_keys
from streams.migrations.migrate import scripts
from streams.security import rate_limits
from streams.settings import Settings

_log = structlog.get_logger()


async def wait_until_migrated(settings: Settings, catalog: Catalog) -> None:
    """Returns once every database is in reach and has every migration that this code needs."""
    databases = Databases(None, pool_size=1)
    wanted = {(settings.log_dsn(context), log_schema(context), "log") for context in catalog.contexts}
    wanted |= {(settings.view_dsn(context), views_schema(context), "views") for context, _ in catalog.views()}
    wanted.add((settings.keys_dsn or settings.write_dsn, subject_keys.SCHEMA, "keys"))
    wanted.add((settings.write_dsn, rate_limits.SCHEMA, "limits"))
    said = ""
    try:
        for dsn, schema, kind in sorted(wanted):
            while (missing := await _missing(databases, dsn, schema, kind)) is not None:
                if missing != said:
                    _log.info("waiting for the database", why=missing)
                    said = missing
                await asyncio.sleep(0.2)
    finally:
        await databases.close()


async def _missing(databases: Databases, dsn: str, schema: str, kind: str) -> str | None:
    try:
        async with databases.connection(dsn) as connection:
            if not await connection.fetchval(statement("migrations_there", schema)):
                return f"there is no {schema} yet: run `caudal migrate`"
            applied = {row["name"] for row in await connection.fetch(statement("migrations", schema))}
    except (Unavailable, Misconfigured) as error:
        return error.detail
    except asyncpg.InsufficientPrivilegeError as error:
        return str(error)
    lacking = {script.stem for script in scripts(kind)} - applied
    return f"{schema} lacks {', '.join(sorted(lacking))}: run `caudal migrate`" if lacking else None
