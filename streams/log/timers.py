"""Timers: kept beside the log, set and cancelled in the transaction that appends the saga's step.

Timers do not depend on views: a view that is paused, rebuilt, reset or blocked delays no timer.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from streams.database.store import Store


class TimerChange(NamedTuple):
    """A timer that an append sets, moves or cancels."""

    stream: str
    name: str
    due_at: datetime | None
    """``None`` cancels it; one that is not set is ignored."""
    saga: str
    """Full name of the saga's definition."""
    key: str


class Timer(NamedTuple):
    """A timer that is set."""

    stream: str
    name: str
    due_at: datetime
    saga: str
    key: str
    correlation_id: str
    version: int
    """The version of the saga's stream after the step that set the timer."""

    @property
    def place(self) -> tuple[datetime, str, str]:
        """Its place in the order in which timers are due."""
        return self.due_at, self.stream, self.name


class Timers:
    """The timers that are set in one log."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def due(
        self, now: datetime, sagas: Collection[str], limit: int, after: tuple[datetime, str, str] | None = None
    ) -> Sequence[Timer]:
        """Returns at most ``limit`` timers of these sagas' definitions that are due, the longest overdue first.

        Due means by ``now`` and by the database's clock. ``after`` is the place of the last timer of the page before. Raises
        `Unavailable`.
        """
        rows = await self._store.fetch("timers_due", now, list(sagas), *(after or (None, "", "")), limit)
        return [Timer(**row) for row in rows]
