"""The logins of the local stack's PostgreSQL: each process has one with the only role that it needs, and a password.

The passwords are in a file that only the stack's user can read, in the form of libpq's password files. DSNs name that file and
hold no password. The superuser has no login: it is reached in single-user mode alone, while the server is stopped.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import orjson

from deploy.local.ports import LOOPBACK

SUPERUSER = "caudal"
DATABASE = "caudal"
ADMIN = "admin"
"""The login of the operator: it owns the database, migrates it, and acts in every role of Caudal."""
_OPERATIONS = ("pg_monitor", "pg_checkpoint", "pg_signal_backend")
ROLES: Mapping[str, tuple[str, ...]] = {
    ADMIN: ("caudal_owner", "caudal_writer", "caudal_projector", "caudal_reader", *_OPERATIONS),
    "command-api": ("caudal_writer",),
    "worker": ("caudal_writer",),
    "relay": ("caudal_writer",),
    "projectors": ("caudal_projector",),
    "query-api": ("caudal_reader",),
}
"""The roles of each login; a process's login has its name."""
ACCESS = f"""\
# Connections that the local stack's PostgreSQL accepts: on loopback, with a password.
host  all  {SUPERUSER}  all           reject
host  all  all     {LOOPBACK}/32  scram-sha-256
"""
"""The server's pg_hba.conf."""


class Logins:
    """Logins whose passwords are in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def exist(self) -> bool:
        """Whether the passwords have been written."""
        return self._file.exists()

    def dsn(self, login: str, port: int, database: str = DATABASE) -> str:
        """Returns the DSN with which a login connects to a database."""
        return f"postgresql://{quote(login)}@{LOOPBACK}:{port}/{database}?passfile={quote(str(self._file))}"

    def write(self, passwords: Mapping[str, str]) -> None:
        """Writes the passwords to the file, which only its owner can read."""
        fresh = self._file.with_name(f"{self._file.name}.new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.writelines(f"{LOOPBACK}:*:*:{login}:{password}\n" for login, password in passwords.items())
        fresh.replace(self._file)


def new_passwords() -> dict[str, str]:
    """Returns a new password for each login."""
    return {login: secrets.token_urlsafe(32) for login in ROLES}


def statements(passwords: Mapping[str, str]) -> str:
    """Returns the SQL that makes the logins, or gives them these passwords if they exist."""
    logins = [{"name": name, "roles": ROLES[name], "password": password} for name, password in passwords.items()]
    return (Path(__file__).with_name("logins.sql")).read_text().replace("{logins}", orjson.dumps(logins).decode())
