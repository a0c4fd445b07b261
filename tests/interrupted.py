"""Databases whose statements fail as PostgreSQL's do when they are cancelled, lose a race or lose their server."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import asyncpg

from streams.database.pools import Connection, Databases, Role

PASSING = (
    *("08000", "08003", "08006", "25006", "25P03", "26000", "40001", "40P01", "53000", "53100", "53200", "53300", "53400"),
    *("55P03", "57014", "57P01", "57P02", "57P03", "57P05"),
)
"""SQLSTATEs of faults after which the same statement may succeed."""
Moment = Literal["before", "after"]


class InterruptedDatabases(Databases):
    """Databases of which every second use of a connection fails, each with the next of `PASSING`, until they are used up.

    A use fails before its statements, or after them: then what they did is committed, and the caller does not know.
    """

    def __init__(self, moment: Moment, role: Role | None = None, rounds: int = 1) -> None:
        super().__init__(role, 8)
        self._moment, self._states = moment, deque(PASSING * rounds)
        self._is_next = True

    @property
    def are_used_up(self) -> bool:
        return not self._states

    @asynccontextmanager
    async def connection(self, dsn: str) -> AsyncIterator[Connection]:
        async with super().connection(dsn) as connection:
            error = self._next()
            if error is not None and self._moment == "before":
                raise error
            yield connection
            if error is not None:
                raise error

    def _next(self) -> asyncpg.PostgresError | None:
        fails, self._is_next = self._is_next and bool(self._states), not self._is_next
        return asyncpg.PostgresError.new({"C": self._states.popleft(), "M": "interrupted"}) if fails else None
