"""One schema in one database: its names, and its named statements from ``sql/queries``."""

from __future__ import annotations  # asyncpg's classes are generic for the type checker only

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from schemas.system import ContextName
from streams.database.pools import Connection, Databases

SQL = Path(__file__).parents[1] / "sql"
KEYS_SCHEMA = '"caudal_keys"'
"""Schema of the data subjects' keys."""
LIMITS_SCHEMA = '"caudal_limits"'
"""Schema of the counters of rate limits."""
INTEGRATION_SCHEMA = '"caudal_integration"'
"""Schema of the schemas and beginnings of integration topics."""
_MAX_NAME_BYTES = 63


def log_schema(context: ContextName) -> str:
    """Returns the quoted schema that holds a context's log. No name of a system or context holds two underscores."""
    return _quoted(f"{context.system}__{context.context}")


def views_schema(context: ContextName) -> str:
    """Returns the quoted schema that holds a context's views."""
    return _quoted(views_schema_name(context))


def views_schema_name(context: ContextName) -> str:
    """Returns the same schema without quotes, as SQLAlchemy takes it."""
    return f"{context.system}__{context.context}__views"


@cache
def statement(name: str, schema: str) -> str:
    """Returns the statement ``sql/queries/<name>.sql`` for a quoted schema."""
    return (SQL / "queries" / f"{name}.sql").read_text().replace("{schema}", schema)


@dataclass(frozen=True, slots=True)
class Store:
    """One schema in one database.

    ``fetch``, ``fetchrow``, ``fetchval`` and ``execute`` run one statement by its name, each on a connection of its own.
    Several statements on one connection go through `connection` or `transaction` and `sql`. All raise `Unavailable` while
    the database is out of reach.
    """

    databases: Databases
    dsn: str
    schema: str
    """Quoted, as `log_schema` or `views_schema` returns it."""

    @classmethod
    def of_log(cls, databases: Databases, dsn: str, context: ContextName) -> Store:
        """Returns the store of a context's log."""
        return cls(databases, dsn, log_schema(context))

    @classmethod
    def of_views(cls, databases: Databases, dsn: str, context: ContextName) -> Store:
        """Returns the store of a context's views."""
        return cls(databases, dsn, views_schema(context))

    def sql(self, name: str) -> str:
        """Returns a named statement for this schema."""
        return statement(name, self.schema)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lends a connection to a block."""
        return self.databases.connection(self.dsn)

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Lends a connection inside a transaction, which is committed unless the block raises."""
        return self.databases.transaction(self.dsn)

    async def fetch(self, name: str, *arguments: object, seconds: float | None = None) -> list[asyncpg.Record]:
        """Runs a named statement and returns its rows; ``seconds`` replaces the pool's time-out."""
        async with self.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(self.sql(name), *arguments, timeout=seconds)
        return rows

    async def fetchrow(self, name: str, *arguments: object, seconds: float | None = None) -> asyncpg.Record | None:
        """Runs a named statement and returns its first row, or ``None`` if it has none."""
        async with self.connection() as connection:
            return await connection.fetchrow(self.sql(name), *arguments, timeout=seconds)

    async def fetch_merged(self, name: str, *arguments: object) -> Mapping[str, Any] | None:
        """Returns the row of a named statement, or ``None``, for reads that recur: those of one time are one statement."""
        return await self.databases.merged(self.dsn).row(name, self.sql(name), arguments)

    async def fetchval(self, name: str, *arguments: object, seconds: float | None = None) -> Any:
        """Runs a named statement and returns the first column of its first row, or ``None`` if it has none."""
        async with self.connection() as connection:
            return await connection.fetchval(self.sql(name), *arguments, timeout=seconds)

    async def execute(self, name: str, *arguments: object) -> None:
        """Runs a named statement that returns nothing."""
        async with self.connection() as connection:
            await connection.execute(self.sql(name), *arguments)


def _quoted(name: str) -> str:
    if '"' in name or len(name.encode()) > _MAX_NAME_BYTES:
        raise ValueError(f"{name!r} cannot be the name of a schema: it may have {_MAX_NAME_BYTES} bytes and no quote")
    return f'"{name}"'
