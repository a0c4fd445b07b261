"""The identity of databases: whether a connection leads to the same database as the ones before.

After a failover or a restore a DSN leads to a database with another history. What a process remembers of it (states of streams,
positions, checkpoints) may be of commits that are lost. So the process starts over.
"""

from collections.abc import Callable
from typing import NamedTuple

import structlog

_log = structlog.get_logger()


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
        self.on_change: Callable[[], None] = lambda: None
        """Called when a DSN leads to another database than before."""

    def note(self, dsn: str, identity: Identity | None) -> None:
        """Notes where a new connection leads; ``None`` for a replica, which is read only."""
        if identity is None:
            return
        before = self._known.setdefault(dsn, identity)
        if before != identity:
            self._known[dsn] = identity
            _log.error("database replaced", before=before._asdict(), now=identity._asdict())
            self.on_change()


IDENTITIES = Identities()
"""The identities of the databases of this process."""
