"""PostgreSQL: pools by DSN and role, named statements from ``sql/``, drivers' errors as ours."""

from __future__ import annotations  # asyncpg's classes are generic for the type checker only

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import asyncpg
import orjson

from schemas.catalog import ContextName
from schemas.errors import Conflict, Invalid, Misconfigured, Unavailable

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
Role = Literal["caudal_owner", "caudal_writer", "caudal_projector", "caudal_reader"]

SQL = Path(__file__).parents[1] / "sql"
WHOLE_LOG_SECONDS = 3600
"""Time-out of a statement that looks at a whole log or view, which nobody waits for."""
_CONNECT_SECONDS = 5
_COMMAND_SECONDS = 15
_ONE_PLAN = {
    # The append's statements are planned once, and must not be planned for how small a table was then. Said here and not in
    # the function, where each call would pay for it.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
_OUT_OF_REACH = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    asyncpg.InternalClientError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
)


class Databases:
    """One pool for each DSN, in one role, opened when it is first needed."""

    def __init__(self, role: Role | None, pool_size: int, *, durable: bool = True) -> None:
        self._role, self._size, self._durable = role, pool_size, durable
        self._pools: dict[str, asyncpg.Pool[asyncpg.Record]] = {}
        self._opening: dict[str, asyncio.Lock] = {}

    async def pool(self, dsn: str) -> asyncpg.Pool[asyncpg.Record]:
        """The pool of a database; raises `Unavailable` while it is out of reach."""
        async with self._opening.setdefault(dsn, asyncio.Lock()):
            if dsn not in self._pools:
                with translated():
                    self._pools[dsn] = await self._open(dsn)
            return self._pools[dsn]

    @asynccontextmanager
    async def connection(self, dsn: str) -> AsyncIterator[Connection]:
        """A connection for a while; raises `Unavailable` where the database is or gets out of reach."""
        pool = await self.pool(dsn)
        with translated():
            async with pool.acquire(timeout=_CONNECT_SECONDS) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self, dsn: str) -> AsyncIterator[Connection]:
        """A connection inside a transaction, committed unless the block raises."""
        async with self.connection(dsn) as connection, connection.transaction():
            yield connection

    async def out_of_reach(self, dsns: Iterable[str]) -> str | None:
        """Says which of the databases does not answer, or ``None`` where all do."""
        try:
            for dsn in set(dsns):
                async with self.connection(dsn) as connection:
                    await connection.execute("select")
        except Unavailable as error:
            return error.detail
        return None

    async def close(self) -> None:
        """Closes every pool, breaking off what does not end within seconds."""
        for pool in self._pools.values():
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await pool.close()
            except (TimeoutError, *_OUT_OF_REACH):
                pool.terminate()
        self._pools.clear()

    async def _open(self, dsn: str) -> asyncpg.Pool[asyncpg.Record]:
        server_settings = {"application_name": f"caudal {self._role or 'owner'}"}
        if self._role:
            server_settings["role"] = self._role
        if self._role == "caudal_writer":
            server_settings |= _ONE_PLAN
        if not self._durable:
            # What such a connection commits together with its position may be lost with it: it is done again then.
            server_settings["synchronous_commit"] = "off"
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=self._size,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings=server_settings,
            init=_with_json,
            reset=_nothing_to_reset,
        )


def log_schema(context: ContextName) -> str:
    """The quoted schema that holds a context's log."""
    return _quoted(f"{context.system}_{context.context}")


def views_schema(context: ContextName) -> str:
    """The quoted schema that holds a context's views."""
    return _quoted(f"{context.system}_{context.context}_views")


@cache
def statement(name: str, schema: str) -> str:
    """A named statement of ``sql/queries`` for a schema that `log_schema` or `views_schema` gave."""
    return (SQL / "queries" / f"{name}.sql").read_text().replace("{schema}", schema)


@contextmanager
def translated() -> Iterator[None]:
    """Raises the driver's errors as Caudal's."""
    try:
        yield
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
        raise Conflict(str(error)) from error
    except asyncpg.CharacterNotInRepertoireError as error:
        raise Invalid("a text holds the character NUL, which cannot be looked for") from error
    except asyncpg.DataError as error:
        raise Invalid(f"a value is out of PostgreSQL's range: {error}") from error
    except asyncpg.IntegrityConstraintViolationError as error:
        raise Invalid(f"a value is not one that its table takes: {error}") from error
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError, asyncpg.InvalidSchemaNameError) as error:
        raise Misconfigured(f"the database is not as this version needs it, run `caudal migrate`: {error}") from error
    except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise Misconfigured(f"PostgreSQL lets nobody in like this: {error}") from error
    except _OUT_OF_REACH as error:
        raise Unavailable("PostgreSQL is out of reach", f"{type(error).__name__}: {error}".rstrip(": ")) from error


def blames_values(error: Exception) -> bool:
    """Whether an error inside a transaction is about what was to be written, and not about the database or the way to it."""
    if isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError | asyncpg.ProgramLimitExceededError):
        return True
    return not isinstance(error, (asyncpg.PostgresError, Unavailable, Conflict, *_OUT_OF_REACH))


async def _with_json(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_dumps, decoder=orjson.loads, format="text")


async def _nothing_to_reset(_: Connection) -> None:
    """Spares a round trip on every release: no statement here changes a session beyond its transaction."""


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _quoted(name: str) -> str:
    if '"' in name or len(name.encode()) > 63:
        raise ValueError(f"{name!r} is not a schema's name")
    return f'"{name}"'
