"""Connection pools of PostgreSQL, one for each DSN."""

from __future__ import annotations  # asyncpg's classes are generic for the type checker only

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import orjson

from schemas.errors import Misconfigured, Unavailable
from streams.database.errors import OUT_OF_REACH, cause, is_of_read_only, is_of_stale_connection, pooler, translated
from streams.database.identity import IDENTITIES, Identity
from streams.database.merged_reads import MergedReads

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
Role = Literal["caudal_owner", "caudal_writer", "caudal_projector", "caudal_reader"]

WHOLE_LOG_SECONDS = 3600
"""Time-out of a statement that reads a whole log or view, for which no request waits."""
_CONNECT_SECONDS = 5
_COMMAND_SECONDS = 15
_FILES = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}
"""The parameters of a DSN that name files, for which the driver's error would not name the file."""
_MARK = "caudal.session"
"""A setting that PostgreSQL keeps for each session, and that means nothing to it."""
_SESSION = """select
  array(select current_setting(name, true) from unnest($1::text[]) with ordinality as t(name, n) order by n) as settings,
  (select system_identifier from pg_control_system()) as cluster,
  case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end as timeline,
  (select oid::bigint from pg_database where datname = current_database()) as database"""
_ONE_PLAN = {
    # The append's statements are planned once, and the plan must not depend on the size of a table at that time. These are
    # settings of the session: as settings of the function, each call would pay for them.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


class Databases:
    """One pool for each DSN, in one role, opened at its first use."""

    def __init__(self, role: Role | None, pool_size: int, *, durable: bool = True) -> None:
        self._role, self._size, self._durable = role, pool_size, durable
        self._pools: dict[str, asyncpg.Pool[asyncpg.Record]] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._merged: dict[str, MergedReads] = {}

    async def pool(self, dsn: str) -> asyncpg.Pool[asyncpg.Record]:
        """Returns the pool of a database.

        Raises `Unavailable` while it is out of reach, and `Misconfigured` if its DSN cannot be used.
        """
        async with self._opening.setdefault(dsn, asyncio.Lock()):
            if dsn not in self._pools:
                try:
                    with translated():
                        self._pools[dsn] = await self._open(dsn)
                except Unavailable as error:
                    raise Unavailable(
                        error.public, f"{_address(dsn)}, named by CAUDAL_WRITE_DSN or another DSN: {cause(error.__cause__)}"
                    ) from error
            return self._pools[dsn]

    @asynccontextmanager
    async def connection(self, dsn: str) -> AsyncIterator[Connection]:
        """Lends a connection to a block; raises `Unavailable` if the database is or gets out of reach."""
        pool = await self.pool(dsn)
        with translated():
            async with pool.acquire(timeout=_CONNECT_SECONDS) as connection:
                try:
                    yield connection
                except Exception as error:
                    if is_of_read_only(error):  # after a failover each connection leads to the old primary
                        await pool.expire_connections()
                    elif is_of_stale_connection(error):
                        connection.terminate()
                    raise

    @asynccontextmanager
    async def transaction(self, dsn: str) -> AsyncIterator[Connection]:
        """Lends a connection inside a transaction, which is committed unless the block raises."""
        async with self.connection(dsn) as connection, connection.transaction():
            yield connection

    def merged(self, dsn: str) -> MergedReads:
        """Returns the reads of a database that are made together with others."""
        if dsn not in self._merged:
            self._merged[dsn] = MergedReads(lambda: self.connection(dsn))
        return self._merged[dsn]

    async def out_of_reach(self, dsns: Iterable[str]) -> str | None:
        """Returns why the first database that does not answer is out of reach, or ``None`` if all answer."""
        try:
            for dsn in set(dsns):
                async with self.connection(dsn) as connection:
                    await connection.execute("select")
        except (Unavailable, Misconfigured) as error:
            return error.detail
        return None

    async def close(self) -> None:
        """Closes every pool, and terminates its connections if that takes longer than five seconds."""
        for merged in self._merged.values():
            await merged.close()
        self._merged.clear()
        for pool in self._pools.values():
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await pool.close()
            except (TimeoutError, *OUT_OF_REACH):
                pool.terminate()
        self._pools.clear()

    async def _open(self, dsn: str) -> asyncpg.Pool[asyncpg.Record]:
        _check(dsn)
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=self._size,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            max_cacheable_statement_size=0,  # merged reads are long, and recur
            server_settings=self._session_settings(),
            init=lambda connection: self._prepare(dsn, connection),
            reset=_nothing_to_reset,
        )

    async def _prepare(self, dsn: str, connection: Connection) -> None:
        """Checks that the session has its settings, which a connection pooler may drop; raises `Misconfigured`.

        Notes to which database the connection leads.
        """
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_dumps, decoder=orjson.loads, format="text")
        wanted = {name: value for name, value in self._session_settings().items() if name != "application_name"}
        row = await connection.fetchrow(_SESSION, list(wanted))
        assert row is not None, "the statement returns one row"
        settings, *identity = row.values()
        for (name, value), has in zip(wanted.items(), settings, strict=True):
            if has != value:
                raise pooler(f"the session's {name} is {has}, not {value}")
        IDENTITIES.note(dsn, None if row["timeline"] is None else Identity(*identity))

    def _session_settings(self) -> dict[str, str]:
        session = {"application_name": f"caudal {self._role or 'owner'}", _MARK: "set"}
        if self._role:
            session["role"] = self._role
        if self._role == "caudal_writer":
            session |= _ONE_PLAN
        if not self._durable:
            # Such a connection commits effects together with their position. A crash may lose both, and they are repeated.
            session["synchronous_commit"] = "off"
        return session


async def _nothing_to_reset(_: Connection) -> None:
    """Saves a round trip on every release: no statement changes a session beyond its transaction."""


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _check(dsn: str) -> None:
    """Raises `Misconfigured` if a DSN cannot be parsed, or names a file that cannot be read."""
    try:
        url = urlsplit(dsn)
        parameters = dict(parse_qsl(url.query))
        for host in url.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
    except ValueError:
        # The error would quote a part of the DSN, which may be of the password.
        raise Misconfigured(
            "CAUDAL_WRITE_DSN or another DSN is not a URL: write special characters of user and password as %XX"
        ) from None
    for name in _FILES & parameters.keys():
        try:
            with Path(parameters[name]).open("rb"):
                pass
        except OSError as error:
            raise Misconfigured(f"{name} of the DSN of {_address(dsn)} is a file that cannot be read: {error}") from error


def _address(dsn: str) -> str:
    """Returns the host and port of a DSN, without its user and password."""
    return urlsplit(dsn).netloc.rpartition("@")[2] or "the default host"
