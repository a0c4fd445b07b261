"""The events of a log as they are recorded, sent to a client as server-sent events that resume after a break.

An event's id names its position and the event itself: a log that was restored from a backup may have another event there. Then
the client is sent ``restored`` with the last position that is as it knew it, and the events above.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import orjson
from sse_starlette import ServerSentEvent

from query_api.audit.history import described
from schemas.errors import Malformed, Unavailable
from streams.log.search import Conditions, SearchableLog

_POLL_SECONDS = 0.25
_ID = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f-]{36})")
ID_PATTERN = f"^{_ID.pattern}$"


class LastEvent(NamedTuple):
    """The last event that a client has."""

    position: int
    id: UUID

    @classmethod
    def parse(cls, text: str) -> "LastEvent":
        """Reads a ``Last-Event-ID``; raises `Malformed`."""
        try:
            if (found := _ID.fullmatch(text)) is not None:
                return cls(int(found[1]), UUID(found[2]))
        except ValueError:
            pass
        raise Malformed("Last-Event-ID must be an id that this stream gave")

    def __str__(self) -> str:
        return f"{self.position}:{self.id}"


async def follow_log(
    log: SearchableLog, conditions: Conditions, after: int | LastEvent | None, until: float
) -> AsyncIterator[ServerSentEvent]:
    """Returns the events of a log that meet conditions: those above a position, or above the one of now, as they are recorded.

    ``until``: when the stream ends, in seconds since 1970. It also ends if the database is out of reach: the client connects
    again with the id that it has. Raises `Unavailable` before the first event.
    """
    position, restored = await _begin(log, after)
    return _events(log, conditions, position, until, restored=restored)


async def _begin(log: SearchableLog, after: int | LastEvent | None) -> tuple[int, bool]:
    """Returns the position to begin after, and whether the log is not any more as the client knew it."""
    if after is None:
        return (await log.head()).position, False
    if isinstance(after, int):
        return after, False
    found = await log.read_positions([after.position])
    if found and found[0].id == after.id:
        return after.position, False
    return await _shared(log, after.position), True


async def _shared(log: SearchableLog, position: int) -> int:
    """Returns the last position, not above one, that a log had before it went back as well."""
    began = [timeline.began_after for timeline in (await log.timelines()).later]
    return min([position, (await log.head()).position, *began[-1:]])


async def _events(
    log: SearchableLog, conditions: Conditions, position: int, until: float, *, restored: bool
) -> AsyncIterator[ServerSentEvent]:
    if restored:
        yield _restored(position)
    while time.time() < until:
        try:
            head = (await log.head()).position
            if head < position:  # a backup was restored
                position = await _shared(log, position)
                yield _restored(position)
            async for found in log.search(conditions, position, head):
                for row in found.rows:
                    data = orjson.dumps(described(row), option=orjson.OPT_UTC_Z).decode()
                    yield ServerSentEvent(data, event="event", id=str(LastEvent(row.position, row.id)))
                position = found.looked_up_to
        except Unavailable:
            return
        await asyncio.sleep(_POLL_SECONDS)


def _restored(position: int) -> ServerSentEvent:
    return ServerSentEvent(orjson.dumps({"after": position}).decode(), event="restored")
