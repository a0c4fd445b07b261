"""The changes of one view, sent to its clients as server-sent events that resume after a break.

The changes are read once for all clients, however many there are; a client that is behind reads alone until it has caught up.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from query_api.live.limits import ConnectionLimit, LiveResponse
from query_api.live.watcher import Chunk, State, Watcher
from query_api.views.paging import Row
from query_api.views.reader import ViewReader
from schemas.errors import Invalid, Malformed, Unavailable

_log = structlog.get_logger()

_POLL_SECONDS = 0.1
_CHUNK_ROWS = 500


@dataclass(frozen=True, slots=True)
class LiveQuery:
    """One client's request to a live view."""

    caller: str
    show: Callable[[Sequence[Row]], Awaitable[list[Row]]]
    """Returns those of some rows that the caller may read, decrypted."""
    until: float
    """When the caller's token expires, in seconds since 1970."""


class Feed:
    """The changes of one view.

    table ─► _read_for_all ──┬─► queue of watcher 1 ─► its client
             (one task)      └─► queue of watcher 2 ─► its client
    table ─► _catch_up (the task of a client that is behind) ─► its client
    """

    def __init__(self, reader: ViewReader, limit: ConnectionLimit) -> None:
        self._reader, self._limit = reader, limit
        self._watchers: set[Watcher] = set()
        self._position = 0
        """The transaction up to which changes were read for all."""
        self._reading: asyncio.Task[None] | None = None

    async def follow(self, request: Request, query: LiveQuery) -> EventSourceResponse:
        """Streams the rows that change, from now on or after the ``Last-Event-ID`` of the request.

        An event's id is the transaction up to which no change is missing. A row that changes twice may be sent once. Raises
        `Invalid` for parameters, `Malformed` for an id, and `Unavailable`.
        """
        if request.query_params:
            raise Invalid("live views cannot be filtered; remove the query parameters")
        given = request.headers.get("last-event-id")
        if given is not None and not (given.isascii() and given.isdigit() and len(given) < 19):
            raise Malformed("Last-Event-ID must be an id that this stream gave")
        newest = await self._reader.horizon() - 1
        await self._reader.changed_after(newest, 1)  # a table that cannot be read fails now, and not as a stream without rows
        # An id above the newest comes from a database that is gone: the client gets every row again.
        position = newest if given is None else (int(given) if int(given) <= newest else 0)
        return LiveResponse(self._events(position, newest, query), self._limit, query.caller)

    async def _events(self, position: int, newest: int, query: LiveQuery) -> AsyncIterator[ServerSentEvent]:
        with self._watcher(position, newest) as watcher:
            async for chunk in self._changes(watcher, query.until):
                try:
                    rows = await query.show(chunk.rows)
                except Unavailable:
                    return  # the client connects again with the id that it has
                for n, row in enumerate(rows):
                    # Only the last row of a chunk has the new id: a client that got half a chunk gets all of it again.
                    event_id = str(chunk.up_to) if n == len(rows) - 1 else None
                    data = orjson.dumps(row, default=str, option=orjson.OPT_UTC_Z).decode()
                    yield ServerSentEvent(data, event="row", id=event_id)

    async def _changes(self, watcher: Watcher, until: float) -> AsyncIterator[Chunk]:
        """Yields what changes after a watcher's position, until its token expires."""
        while (left := until - time.time()) > 0:
            if watcher.state is not State.FOLLOWING:
                async for chunk in self._catch_up(watcher, until):
                    yield chunk
            elif (next_chunk := await watcher.take(min(left, 1))) is not None:
                yield next_chunk

    async def _catch_up(self, watcher: Watcher, until: float) -> AsyncIterator[Chunk]:
        """Yields what changed between a watcher's position and the one that is read for all.

        What is read for all meanwhile is collected in the watcher's queue, so that nothing between the two is missed.
        """
        watcher.collect()
        goal = self._position
        while watcher.position < goal and time.time() < until:
            before, chunk = watcher.position, await self._read(watcher.position)
            yield chunk
            watcher.position = chunk.up_to
            if chunk.up_to <= before:
                return  # The database is older than it was: the reading for all will notice, and rewind every watcher.

    @contextmanager
    def _watcher(self, position: int, newest: int) -> Iterator[Watcher]:
        watcher = Watcher(position)
        self._watchers.add(watcher)
        if self._reading is None:
            self._position, self._reading = newest, asyncio.create_task(self._read_for_all())
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    async def _read_for_all(self) -> None:
        """Reads changes until there is no watcher."""
        try:
            while self._watchers:
                try:
                    chunk = await self._read(self._position)
                except Exception:
                    _log.exception("live view read failed", view=self._reader.view.view_name)
                    await asyncio.sleep(1)
                    continue
                self._distribute(chunk)
                if len(chunk.rows) < _CHUNK_ROWS // 2:
                    await asyncio.sleep(_POLL_SECONDS)
        finally:
            self._reading = None

    def _distribute(self, chunk: Chunk) -> None:
        for watcher in self._watchers:
            if chunk.up_to < self._position:  # a backup was restored
                watcher.rewind()
            if chunk.rows:
                watcher.offer(chunk)
        self._position = chunk.up_to

    async def _read(self, position: int) -> Chunk:
        while True:
            try:
                return Chunk(*await self._reader.changed_after(position, _CHUNK_ROWS))
            except Unavailable:
                await asyncio.sleep(1)
