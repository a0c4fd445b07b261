"""Timers of sagas, as their view shows them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.catalog import ContextName
from schemas.engine.sagas import CONTEXT, SYSTEM
from streams.database.pools import Databases
from streams.database.store import Store
from streams.settings import Settings

_SAGAS = ContextName(SYSTEM, CONTEXT)


class Timer(NamedTuple):
    """A time at which a saga is to be advanced."""

    process: str
    about: str
    saga_id: str
    name: str
    due: datetime
    correlation_id: str


class DueTimers(NamedTuple):
    """A page of due timers."""

    timers: Sequence[Timer]
    next: tuple[datetime, str] | None
    """The place after which the next page begins; ``None`` on the last page."""


class Timers:
    """Reads the timers of all sagas. The view may be late: a saga ignores a timer that it does not wait for any more."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._store = Store.of_views(databases, settings.view_dsn(_SAGAS), _SAGAS)

    async def due(
        self, now: datetime, kinds: Collection[str], limit: int, after: tuple[datetime, str] | None = None
    ) -> DueTimers:
        """Returns the due timers of some kinds of sagas, of at most ``limit`` sagas, the longest overdue first.

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
