"""Merged reads: one statement in the place of the same read of many schemas of one database.

A process at rest looks twice a second or oftener at each of its logs and subscriptions. One look costs little, but hundreds
of them a second keep PostgreSQL and the process busy. Those that begin at the same time are parts of one statement.
"""

from __future__ import annotations  # asyncpg's classes are generic for the type checker only

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from schemas.errors import Unavailable

if TYPE_CHECKING:
    from streams.database.pools import Connection

WINDOW_SECONDS = 0.001
"""For how long a read waits for others."""
_MOST = 64
"""Reads in one statement: each has its plan in the session's memory."""
_PARAMETER = re.compile(r"\$(\d+)")
_NUMBER = "merged_read"
"""The column that says to which read a row belongs."""

Row = Mapping[str, Any]
Read = tuple[str, tuple[object, ...]]
"""A statement that returns one row or none, and its arguments."""


def until_next(seconds: float) -> float:
    """Returns the seconds until the next moment at which everything with this interval looks, so that reads meet."""
    return seconds - asyncio.get_running_loop().time() % seconds


class MergedReads:
    """The reads of one database. Reads that are merged have a name in common, and the same columns."""

    def __init__(self, connection: Callable[[], AbstractAsyncContextManager[Connection]]) -> None:
        """``connection`` lends a connection to a block, and raises `Unavailable` if the database is out of reach."""
        self._connection = connection
        self._waiting: dict[str, dict[Read, asyncio.Future[Row | None]]] = {}
        self._running = set[asyncio.Task[None]]()

    async def row(self, name: str, sql: str, arguments: tuple[object, ...]) -> Row | None:
        """Returns the row of a read, or ``None`` if it has none; raises `Unavailable`, and errors of PostgreSQL."""
        loop = asyncio.get_running_loop()
        group = self._waiting.setdefault(name, {})
        if not group:
            loop.call_later(WINDOW_SECONDS, self._begin, name)
        if (answer := group.get((sql, arguments))) is None:
            answer = group[sql, arguments] = loop.create_future()
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait any more
        return await asyncio.shield(answer)

    def _begin(self, name: str) -> None:
        reads = sorted(self._waiting.pop(name).items(), key=lambda item: (item[0][0], repr(item[0][1])))
        for start in range(0, len(reads), _MOST):
            task = asyncio.create_task(self._run(dict(reads[start : start + _MOST])))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, group: Mapping[Read, asyncio.Future[Row | None]]) -> None:
        reads = list(group)
        try:
            rows = await self._rows(reads)
        except Exception as error:
            if len(reads) == 1 or isinstance(error, Unavailable):
                _fail(group.values(), error)
            else:  # a schema that is missing is no fault of the others
                for read in reads:
                    await self._run({read: group[read]})
        except asyncio.CancelledError:
            for answer in group.values():
                answer.cancel()
            raise
        else:
            for number, answer in enumerate(group.values()):
                if not answer.done():
                    answer.set_result(rows.get(number))

    async def _rows(self, reads: Sequence[Read]) -> dict[int, Row]:
        """Returns the rows of reads by their numbers."""
        parts, given = [], list[object]()
        for number, (sql, arguments) in enumerate(reads):
            parts.append(f"(select {number} as {_NUMBER}, part.* from (\n{_shifted(sql, len(given))}\n) as part)")
            given += arguments
        async with self._connection() as connection:
            found = await connection.fetch("\nunion all\n".join(parts), *given)
        return {row[_NUMBER]: {name: value for name, value in row.items() if name != _NUMBER} for row in found}


def _shifted(sql: str, by: int) -> str:
    """Returns a statement whose parameters have numbers that are higher."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)


def _fail(answers: Iterable[asyncio.Future[Row | None]], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)
