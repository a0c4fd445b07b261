"""The history of one stream, and the events of a log by conditions, positions and times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from query_api.views.values import parse_time
from schemas.errors import Invalid, NotFound
from streams.log.reading import ReadableLog, is_full
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import StoredEvent

_MAX_POSITIONS_A_PAGE = 100_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events of a log are asked for."""

    conditions: Conditions = field(default_factory=Conditions)
    begin: int | datetime | None = None
    """The first position, or the earliest time of recording; ``None``: the beginning of the log."""
    end: int | datetime | None = None
    """The last position, or the time of recording before which; ``None``: the end of the log."""


async def history_of(log: ReadableLog, stream: str, after: int, limit: int) -> tuple[Sequence[Mapping[str, Any]], int | None]:
    """Returns a stream's events above a version, oldest first, and the version after which the next page begins.

    That is ``None`` at the end. A page of large events has fewer than ``limit``. Raises `NotFound` if there is no such stream.
    """
    rows = await log.read_stream(stream, after, limit)
    if not rows and not await log.version(stream):
        raise NotFound(f"there is no stream {stream!r} in {log.context}")
    return [described(row) for row in rows], rows[-1].version if is_full(rows, limit) else None


async def bounds(log: SearchableLog, selection: Selection) -> tuple[int, int]:
    """Returns the position above which the events of a selection lie, and the one up to which, in the log of now."""
    begin, end = selection.begin, selection.end
    after = await log.position_before(begin) if isinstance(begin, datetime) else (begin or 1) - 1
    head = (await log.head()).position
    up_to = await log.position_before(end) if isinstance(end, datetime) else head if end is None else min(end, head)
    return after, up_to


async def page_of(log: SearchableLog, selection: Selection, after: int, limit: int) -> tuple[Sequence[StoredEvent], int | None]:
    """Returns events of a selection above a position, and the position after which the next page begins; ``None`` at the end.

    A page searches a bounded number of positions, and has a bounded size: it may have fewer events than ``limit``, or none,
    before the end.
    """
    begin, up_to = await bounds(log, selection)
    begin = max(begin, after)
    rows: list[StoredEvent] = []
    async for found in log.search(selection.conditions, begin, min(up_to, begin + _MAX_POSITIONS_A_PAGE), limit):
        rows += found.rows
        if is_full(rows, limit):
            rows = rows[:limit]
            return rows, rows[-1].position if rows[-1].position < up_to else None
    end = begin + _MAX_POSITIONS_A_PAGE
    return rows, end if end < up_to else None


def described(row: StoredEvent) -> Mapping[str, Any]:
    """Returns an event as the audit shows it: data and metadata byte for byte as they were recorded."""
    return {
        "position": row.position,
        "stream": row.stream,
        "version": row.version,
        "id": str(row.id),
        "type": row.type,
        "schema_version": row.schema_version,
        "recorded_at": row.recorded_at,
        "data": orjson.Fragment(row.data),
        "metadata": orjson.Fragment(row.metadata),
    }


def place(text: str, name: str) -> int | datetime:
    """Returns a place in a log from text: a position from 1, or a time with its offset; raises `Invalid`."""
    if text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0:
        return int(text)
    try:
        return moment(text, name)
    except Invalid:
        raise Invalid(f"`{name}` must be a position from 1, or a time such as 2026-01-31T12:00:00Z, not {text!r}") from None


def moment(text: str, name: str) -> datetime:
    """Returns a time with its offset from the text of a URL; raises `Invalid`."""
    try:
        return parse_time(text)
    except ValueError:
        raise Invalid(f"`{name}` must be a time with its offset, such as 2026-01-31T12:00:00Z, not {text!r}") from None
