"""Live views: a row is sent whenever it has changed, as server-sent events that resume after a break.

However many watch a view, its changes are read once; whoever has fallen behind reads alone until they have caught up.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from query_api.views.reader import ViewReader
from query_api.views.row_access import Row
from schemas.errors import Invalid, Malformed, TooManyRequests, Unavailable

_log = structlog.get_logger()

_POLL_SECONDS = 0.1
_CHUNK = 500
_MAX_WAITING = 10
"""Chunks that wait for a slow watcher; whoever is slower than that reads alone."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How somebody watches a view."""

    caller: str
    show: Callable[[Sequence[Row]], Awaitable[list[Row]]]
    """Makes of rows what the caller is shown."""
    until: float
    """When the caller's token expires, in seconds since 1970."""


class Audience:
    """Who watches in this process: so many, and so many of one caller."""

    def __init__(self, most: int) -> None:
        self._most, self._most_of_one = most, max(1, most // 10)
        self._watching: Counter[str] = Counter()

    @contextmanager
    def seated(self, caller: str) -> Iterator[None]:
        """Counts somebody for as long as they watch.

        Raises `TooManyRequests` where a caller watches enough already, `Unavailable` where all of them together do.
        """
        if self._watching[caller] >= self._most_of_one:
            raise TooManyRequests(f"one caller may watch {self._most_of_one} live views at a time", retry_after=10)
        if self._watching.total() >= self._most:
            raise Unavailable("too many live views are being watched")
        self._watching[caller] += 1
        try:
            yield
        finally:
            self._watching[caller] -= 1
            self._watching += Counter()  # lets go of those who watch nothing any more


class _LiveResponse(EventSourceResponse):
    """Takes a place in the audience before anything is sent, and gives it back whatever happens."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], audience: Audience, caller: str) -> None:
        super().__init__(events, ping=15)
        self._audience, self._caller = audience, caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._audience.seated(self._caller):
            await super().__call__(scope, receive, send)


class _Seat:
    """What one watcher has not taken yet."""

    def __init__(self) -> None:
        self.chunks: asyncio.Queue[tuple[Sequence[Row], int]] = asyncio.Queue(_MAX_WAITING)
        self.has_missed = True
        self.starts_anew = False

    def give(self, rows: Sequence[Row], up_to: int) -> None:
        if not self.has_missed:
            try:
                self.chunks.put_nowait((rows, up_to))
            except asyncio.QueueFull:
                self.has_missed = True


class Feed:
    """A view's changes, read once for all who watch it."""

    def __init__(self, reader: ViewReader, audience: Audience) -> None:
        self._reader, self._audience = reader, audience
        self._seats: set[_Seat] = set()
        self._since = 0
        self._reading: asyncio.Task[None] | None = None

    async def follow(self, request: Request, watching: Watching) -> EventSourceResponse:
        """Streams changed rows, from now on or after the ``Last-Event-ID`` that the client has.

        Each event's id is the transaction up to which nothing is missing. A row that changes twice in between may be sent once.
        Raises `Invalid`, `TooManyRequests` and `Unavailable`.
        """
        if request.query_params:
            raise Invalid("a live view is sent whole: it takes no parameters")
        given = request.headers.get("last-event-id")
        if given is not None and not (given.isascii() and given.isdigit() and len(given) < 19):
            raise Malformed("Last-Event-ID must be an id that this stream gave")
        horizon = await self._reader.horizon() - 1
        # An id from beyond the horizon comes from a database that is gone: start from the beginning.
        since = horizon if given is None else (int(given) if int(given) <= horizon else 0)
        return _LiveResponse(self._events(since, horizon, watching), self._audience, watching.caller)

    async def _events(self, since: int, now: int, watching: Watching) -> AsyncIterator[ServerSentEvent]:
        with self._seat(now) as seat:
            async for rows, up_to in self._changes(seat, since, watching.until):
                try:
                    shown = await watching.show(rows)
                except Unavailable:
                    return  # the client comes again with the id that it has
                for n, row in enumerate(shown):
                    # Only the last row of a chunk carries the new id: a client that got half of it gets the whole again.
                    event_id = str(up_to) if n == len(shown) - 1 else None
                    data = orjson.dumps(row, default=str, option=orjson.OPT_UTC_Z).decode()
                    yield ServerSentEvent(data, event="row", id=event_id)

    async def _changes(self, seat: _Seat, since: int, until: float) -> AsyncIterator[tuple[Sequence[Row], int]]:
        """What changes after a transaction, with the one up to which that is all."""
        while (left := until - time.time()) > 0:
            if seat.has_missed:
                since = 0 if seat.starts_anew else since
                seat.has_missed, seat.starts_anew, seat.chunks = False, False, asyncio.Queue(_MAX_WAITING)
                read_by_all, is_behind = self._since, since < self._since
                while is_behind and time.time() < until:
                    rows, up_to = await self._read(since)
                    yield rows, up_to
                    # Without progress the database is an older one than it was: the reader for all will find that out.
                    since, is_behind = up_to, since < up_to < read_by_all
                continue
            try:
                async with asyncio.timeout(min(left, 1)):
                    rows, up_to = await seat.chunks.get()
            except TimeoutError:
                continue
            if up_to > since:
                since = up_to
                yield rows, up_to

    @contextmanager
    def _seat(self, now: int) -> Iterator[_Seat]:
        seat = _Seat()
        self._seats.add(seat)
        if self._reading is None:
            self._since, self._reading = now, asyncio.create_task(self._read_for_all())
        try:
            yield seat
        finally:
            self._seats.discard(seat)

    async def _read_for_all(self) -> None:
        """Reads until nobody watches any more."""
        try:
            while self._seats:
                try:
                    rows, up_to = await self._read(self._since)
                except Exception:
                    _log.exception("a live view cannot be read", view=self._reader.view.view_name)
                    await asyncio.sleep(1)
                    continue
                if up_to < self._since:  # a backup was played in
                    for seat in self._seats:
                        seat.has_missed = seat.starts_anew = True
                self._since = up_to
                for seat in self._seats if rows else ():
                    seat.give(rows, up_to)
                if len(rows) < _CHUNK // 2:
                    await asyncio.sleep(_POLL_SECONDS)
        finally:
            self._reading = None

    async def _read(self, since: int) -> tuple[Sequence[Row], int]:
        while True:
            try:
                return await self._reader.changed_after(since, _CHUNK)
            except Unavailable:
                await asyncio.sleep(1)
