"""The identity of databases: whether a connection leads to the same database as the ones before.

After a failover or a restore a DSN leads to a database with another history. What a process remembers of it (states of streams,
positions, receipts of commands that it sent) may be of commits that are lost. So a process that remembers starts over, and uses
no connection to the new database before: it could record as done what is lost.
"""

from collections.abc import Callable
from typing import NamedTuple

import structlog

from schemas.errors import Unavailable

_log = structlog.get_logger()
REPLACED = "the database is another one than before, after a failover or a restore: the process starts over"


class Identity(NamedTuple):
    """The identity of a database that accepts writes."""

    cluster: int
    """PostgreSQL's system identifier."""
    timeline: str
    """PostgreSQL's timeline, which changes when a replica is promoted, as the name of a WAL file has it."""
    database: int
    """The object id of the database."""


class Identities:
    """The identities of the databases of one process, by DSN."""

    def __init__(self) -> None:
        self._known: dict[str, Identity] = {}
        self._replaced: set[str] = set()
        self.start_over: Callable[[], None] | None = None
        """Called once when a DSN leads to another database than before; ``None`` in a process that remembers nothing."""

    def note(self, dsn: str, identity: Identity | None) -> None:
        """Notes where a new connection leads; ``None`` for a replica, which is read only.

        Raises `Unavailable` if it is another database than before and the process has to start over.
        """
        if identity is None:
            return
        before = self._known.setdefault(dsn, identity)
        if before == identity:
            return
        if self.start_over is None:
            self._known[dsn] = identity
            return
        if dsn not in self._replaced:
            self._replaced.add(dsn)
            _log.error("database replaced", before=before._asdict(), now=identity._asdict())
            self.start_over()
        raise Unavailable(REPLACED)


IDENTITIES = Identities()
"""The identities of the databases of this process."""
