"""Live views: a row is sent whenever it has changed, as server-sent events that resume after a break."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from query_api.shown import Row
from query_api.views import ViewReader
from schemas.errors import Invalid, Malformed, Unavailable

_POLL_SECONDS = 0.1
_CHUNK = 500


Show = Callable[[Sequence[Row]], Awaitable[list[Row]]]
"""Makes of rows what a caller is shown."""


async def follow(request: Request, reader: ViewReader, show: Show, *, until: float | None) -> EventSourceResponse:
    """Streams a view's changed rows, from now on or after the ``Last-Event-ID`` that the client has.

    It ends at ``until``, in seconds since 1970: when the caller's token expires.
    Each event's id is the transaction up to which nothing is missing. A row that changes twice in between may be sent once.
    """
    if request.query_params:
        raise Invalid("a live view is sent whole: it takes no parameters")
    given = request.headers.get("last-event-id")
    if given is not None and not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Malformed("Last-Event-ID must be an id that this stream gave")
    horizon = await reader.horizon() - 1
    # An id from beyond the horizon comes from a database that is gone: start from the beginning.
    since = horizon if given is None else (int(given) if int(given) <= horizon else 0)
    return EventSourceResponse(_events(reader, since, show, float("inf") if until is None else until), ping=15)


async def _events(reader: ViewReader, since: int, show: Show, until: float) -> AsyncIterator[ServerSentEvent]:
    while time.time() < until:
        try:
            changed, upto = await reader.changed_after(since, _CHUNK)
            rows = await show(changed)
        except Unavailable:
            await asyncio.sleep(1)
            continue
        for n, row in enumerate(rows):
            # Only the last row of a chunk carries the new id: a client that got half of it gets the whole again.
            event_id = str(upto) if n == len(rows) - 1 else None
            yield ServerSentEvent(orjson.dumps(row, default=str, option=orjson.OPT_UTC_Z).decode(), event="row", id=event_id)
        since = upto
        if len(changed) < _CHUNK // 2:
            await asyncio.sleep(_POLL_SECONDS)
