"""Audit: what happened in a stream, event by event, with who and why."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.errors import NotFound
from streams.log import ReadableLog
from streams.rows import Row


async def history_of(log: ReadableLog, stream: str, after: int, limit: int) -> Sequence[Mapping[str, Any]]:
    """A stream's events above a version, oldest first; raises `NotFound` where there is no such stream."""
    rows = await log.read_stream(stream, after, limit)
    if not rows and not (after and await log.read_stream(stream, 0, 1)):
        raise NotFound(f"there is no stream {stream!r} in {log.context}")
    return [describe(row) for row in rows]


def describe(row: Row) -> Mapping[str, Any]:
    """An event as the audit shows it, exactly as it was recorded."""
    return {
        "position": row.position,
        "version": row.version,
        "id": str(row.id),
        "type": row.type,
        "schema_version": row.schema_version,
        "recorded_at": row.recorded_at,
        "data": orjson.Fragment(row.data),
        "metadata": orjson.Fragment(row.metadata),
    }
