"""Timers that processes have set, as their view has them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.catalog import ContextName
from schemas.engine.sagas import CONTEXT, SYSTEM
from streams.database.pools import Databases
from streams.database.store import Store
from streams.settings import Settings

_PROCESSES = ContextName(SYSTEM, CONTEXT)


class Timer(NamedTuple):
    """One process is to be told at a time."""

    process: str
    about: str
    saga_id: str
    name: str
    due: datetime
    correlation_id: str


class DueTimers(NamedTuple):
    """A page of timers that are due."""

    timers: Sequence[Timer]
    next: tuple[datetime, str] | None
    """What the next page comes after; ``None`` on the last."""


class Timers:
    """Reads the timers of all processes. The view may be a moment late: a process that is told knows what it waits for."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._store = Store.of_views(databases, settings.view_dsn(_PROCESSES), _PROCESSES)

    async def due(
        self, now: datetime, kinds: Collection[str], limit: int, after: tuple[datetime, str] | None = None
    ) -> DueTimers:
        """The timers of these kinds of processes that are due, of so many processes at most, the longest overdue first.

        Raises `Unavailable`.
        """
        since, saga = (None, "") if after is None else after
        rows = await self._store.fetch("timers_due", now, list(kinds), since, saga, limit)
        timers = [
            Timer(row["process"], row["about"], row["saga_id"], name, due, row["correlation_id"])
            for row in rows
            for name, due in sorted((name, datetime.fromisoformat(text)) for name, text in row["timers"].items())
            if due <= now
        ]
        return DueTimers(timers, (rows[-1]["next_due"], rows[-1]["saga_id"]) if len(rows) == limit else None)
