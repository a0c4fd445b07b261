"""Time travel: the state of a stream at a version or a time, and the difference between two versions.

This is the one module of the read side that knows aggregates (docs/decisions/0006-audit-folds-aggregates.md). It replays
events and decides nothing. It reads no snapshots: an auditor sees what the events say.

Streams and states may have any size, and a difference of two long arrays takes quadratic time. So as many events are read as
have room, and they are replayed and compared in a process that is ended if it takes too long.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import jsonpatch
from pydantic_core import to_jsonable_python

from aggregates.stream import Stream
from aggregates.system import streams_of, with_sagas
from query_api.audit.history import described
from schemas.catalog import Catalog
from schemas.errors import Invalid, NotFound, TooCostly
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses, Work
from streams.discovery import declared_domains, installed_catalog
from streams.log.reading import ReadableLog, stream_events
from streams.log.stored_events import StoredEvent, check_versions, decode
from streams.security.fair_turns import FairTurns

MAX_VERSIONS = 1000
MAX_EVENTS, MAX_BYTES = 50_000, 32 * 1024 * 1024
"""Largest part of a stream that is replayed for a request."""
_PURPOSE, _AT_ONCE, _PLACES = "audit", 2, 64
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """The state of a stream at a version."""

    category: str
    version: int
    recorded_at: datetime
    """When the event of that version was recorded."""
    state: Json


class TimeTravel:
    """Replays the streams of the installed systems, for a few callers at a time."""

    def __init__(self, catalog: Catalog, processes: BoundedProcesses) -> None:
        self._systems, self._processes = tuple(sorted(catalog.systems)), processes
        self._streams = _streams_of(catalog)
        self._turns = FairTurns(_AT_ONCE, _PLACES, at_once_of_group=1)

    async def state(
        self, log: ReadableLog, stream: str, caller: str, *, version: int | None = None, at: datetime | None = None
    ) -> State:
        """Returns the state after a version, at a time, or of now; raises `NotFound` if there was none.

        Raises `TooCostly` for a stream that is too long to be replayed, and `Unavailable` if too many others wait.
        """
        async with self._replayable(log, stream, caller) as category:
            rows = await _events(log, stream, version, at)
            if not rows:
                raise NotFound(f"the stream {stream!r} had not begun {'yet' if at is None else f'at {at.isoformat()}'}")
            arguments = (self._systems, log.context, category, rows)
            shown = await self._processes.run(Work(_PURPOSE, caller), replayed, *arguments)
        return State(category, rows[-1].version, rows[-1].recorded_at, shown)

    async def difference(self, log: ReadableLog, stream: str, caller: str, old: int, new: int) -> Json:
        """Returns what changed between two versions as a JSON Patch (RFC 6902), with the events that changed it.

        Raises `Invalid` for versions that are not in order or too far apart, `NotFound`, `TooCostly` and `Unavailable`.
        """
        async with self._replayable(log, stream, caller) as category:
            if not 0 <= old < new <= old + MAX_VERSIONS:
                raise Invalid(f"`from` must be a version below `to`, and at most {MAX_VERSIONS} below it")
            rows = await _events(log, stream, new)
            arguments = (self._systems, log.context, category, rows, old)
            patch = await self._processes.run(Work(_PURPOSE, caller), compared, *arguments)
        events = [described(row) for row in rows[old:]]
        return {"category": category, "from": old, "to": new, "patch": patch, "events": events}

    @asynccontextmanager
    async def _replayable(self, log: ReadableLog, name: str, caller: str) -> AsyncIterator[str]:
        """Waits for a turn, which bounds the memory for events; yields the category of a stream that exists and has a state."""
        category = name.partition("-")[0]
        if not await log.version(name) or category not in self._streams.get(log.context, {}):
            raise NotFound(f"there is no stream {name!r} with a state in {log.context}")
        async with self._turns.turn(_PURPOSE, caller):
            yield category


async def _events(
    log: ReadableLog, stream: str, version: int | None = None, at: datetime | None = None
) -> Sequence[StoredEvent]:
    """Returns a stream's events up to a version, a time or the end; raises `NotFound` if it has no such version."""
    rows: list[StoredEvent] = []
    size = 0
    async for batch in stream_events(log, stream, 0, version):
        check_versions(batch, len(rows))
        for row in batch:
            if at is not None and row.recorded_at > at:
                return rows
            rows.append(row)
            size += len(row.data)
        if len(rows) > MAX_EVENTS or size > MAX_BYTES:
            raise TooCostly(f"more than {MAX_EVENTS} events or {MAX_BYTES} bytes are not replayed: ask for an earlier version")
    if version is not None and len(rows) < version:
        raise NotFound(f"the stream {stream!r} has {len(rows)} versions, not {version}")
    return rows


def replayed(systems: tuple[str, ...], context: ContextName, category: str, rows: Sequence[StoredEvent]) -> Json:
    """Returns the state after some events, as JSON values."""
    catalog, stream = _stream(systems, context, category)
    return _as_json(stream.fold(stream.initial, (decode(row, context, catalog).data for row in rows)))


def compared(
    systems: tuple[str, ...], context: ContextName, category: str, rows: Sequence[StoredEvent], old: int
) -> Sequence[Json]:
    """Returns the difference between the states after the first ``old`` events and after all, as a JSON Patch."""
    catalog, stream = _stream(systems, context, category)
    before = stream.fold(stream.initial, (decode(row, context, catalog).data for row in rows[:old]))
    after = stream.fold(before, (decode(row, context, catalog).data for row in rows[old:]))
    patch: Sequence[Json] = jsonpatch.make_patch(_as_json(before), _as_json(after)).patch
    return patch


@lru_cache(maxsize=1)
def _catalog_and_streams(systems: tuple[str, ...]) -> tuple[Catalog, Mapping[ContextName, Mapping[str, Stream[Any]]]]:
    """Returns the catalog of systems and their streams, which no process can send to another one."""
    catalog = installed_catalog(systems)
    return catalog, _streams_of(catalog)


def _stream(systems: tuple[str, ...], context: ContextName, category: str) -> tuple[Catalog, Stream[Any]]:
    catalog, streams = _catalog_and_streams(systems)
    return catalog, streams[context][category]


def _streams_of(catalog: Catalog) -> Mapping[ContextName, Mapping[str, Stream[Any]]]:
    return streams_of(with_sagas(declared_domains(catalog), catalog), catalog)


def _as_json(value: Any) -> Json:
    state: Json = to_jsonable_python(_ordered(dict(value)), fallback=repr)
    return state


def _ordered(value: Any) -> Any:
    """Returns a value with its sets as sorted lists, so that two states can be compared."""
    if isinstance(value, set | frozenset):
        return sorted(map(_ordered, value), key=repr)
    if isinstance(value, Mapping):
        return {key: _ordered(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_ordered(inner) for inner in value]
    return value
