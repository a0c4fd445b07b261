"""Merged reads: one statement in the place of the same read of many schemas of one database.

A process at rest looks at each of its subscriptions once a second, and at its logs up to four times. One look costs little, but
hundreds of them a second keep PostgreSQL and the process busy. Those that begin at the same time are parts of one statement
(docs/decisions/0030-merged-reads.md).
"""

from __future__ import annotations  # asyncpg's classes are generic for the type checker only

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from streams.database.errors import is_out_of_reach

if TYPE_CHECKING:
    from streams.database.pools import Connection

WINDOW_SECONDS = 0.001
"""For how long a read waits for others."""
_MAX_READS = 64
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
        group = self._waiting.setdefault(name, {})
        if not group:
            self._start(self._soon(name))
        if (answer := group.get((sql, arguments))) is None:
            answer = group[sql, arguments] = asyncio.get_running_loop().create_future()
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait any more
        return await asyncio.shield(answer)

    async def close(self) -> None:
        """Cancels the reads that wait or run."""
        for task in (running := list(self._running)):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for group in self._waiting.values():
            for answer in group.values():
                answer.cancel()
        self._waiting.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _soon(self, name: str) -> None:
        """Starts the reads that have come within the window."""
        await asyncio.sleep(WINDOW_SECONDS)
        reads = sorted(self._waiting.pop(name).items(), key=lambda item: (item[0][0], repr(item[0][1])))
        for start in range(0, len(reads), _MAX_READS):
            self._start(self._run(dict(reads[start : start + _MAX_READS])))

    async def _run(self, group: Mapping[Read, asyncio.Future[Row | None]]) -> None:
        try:
            await self._answer(group)
        finally:
            for answer in group.values():
                answer.cancel()  # those without an answer: the read was cancelled

    async def _answer(self, group: Mapping[Read, asyncio.Future[Row | None]]) -> None:
        try:
            rows = await self._rows(list(group))
        except Exception as error:
            if len(group) == 1 or is_out_of_reach(error):
                for answer in group.values():
                    answer.set_exception(error)
                return
            # A schema that is missing, or a table that is locked, is no fault of the others.
            await asyncio.gather(*(self._answer({read: answer}) for read, answer in group.items()))
        else:
            for number, answer in enumerate(group.values()):
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
