"""Time travel: the state of a stream at a version or a time, and the difference between two versions.

This is the one module of the read side that knows aggregates (docs/decisions/0006-audit-folds-aggregates.md). It replays
events and decides nothing. It reads no snapshots: an auditor sees what the events say.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jsonpatch
from pydantic_core import to_jsonable_python

from aggregates import system
from aggregates.aggregate import Aggregate
from query_api.audit.history import described
from schemas.catalog import Catalog
from schemas.errors import Invalid, NotFound
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent, decode

MAX_VERSIONS = 1000
_BATCH_SIZE = 5000


@dataclass(frozen=True, slots=True)
class State:
    """The state of an aggregate at a version."""

    aggregate: str
    version: int
    recorded_at: datetime
    """When the event of that version was recorded."""
    state: Mapping[str, Any]


class TimeTravel:
    """Replays the streams of the installed systems."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._aggregates = {name: domain.aggregates for name, domain in system.installed(catalog).items()}

    async def state(self, log: ReadableLog, stream: str, *, version: int | None = None, at: datetime | None = None) -> State:
        """Returns the state after a version, at a time, or of now; raises `NotFound` if there was none."""
        replay = _Replay(log, self._catalog, await self._begin(log, stream))
        async for _ in replay.up_to(version, at):
            pass
        return replay.state(stream, version, at)

    async def difference(self, log: ReadableLog, stream: str, old: int, new: int) -> Mapping[str, Any]:
        """Returns what changed between two versions as a JSON Patch (RFC 6902), with the events that changed it.

        Raises `Invalid` for versions that are not in order or too far apart, and `NotFound`.
        """
        replay = _Replay(log, self._catalog, await self._begin(log, stream))
        if not 0 <= old < new <= old + MAX_VERSIONS:
            raise Invalid(f"`from` must be a version below `to`, and at most {MAX_VERSIONS} below it")
        async for _ in replay.up_to(old):
            pass
        before = replay.as_json()
        events = [row async for row in replay.up_to(new)]
        after = replay.state(stream, new)
        return {
            "aggregate": after.aggregate,
            "from": old,
            "to": new,
            "patch": jsonpatch.make_patch(before, after.state).patch,
            "events": [described(row) for row in events],
        }

    async def _begin(self, log: ReadableLog, stream: str) -> Aggregate:
        declared = self._aggregates.get(log.context.system, {}).get(log.context.context, ())
        known = [aggregate for aggregate in declared if stream.startswith(f"{aggregate.category}-")]
        rows = await log.read_stream(stream, 0, 1)
        if not known or not rows:
            raise NotFound(f"there is no stream {stream!r} of an aggregate in {log.context}")
        return max(known, key=lambda a: len(a.category)).empty(stream, rows[0].recorded_at)


class _Replay:
    """An aggregate that replays its stream, one event at a time."""

    def __init__(self, log: ReadableLog, catalog: Catalog, aggregate: Aggregate) -> None:
        self._log, self._catalog, self._aggregate = log, catalog, aggregate
        self._recorded_at = aggregate.created_on

    async def up_to(self, version: int | None = None, at: datetime | None = None) -> AsyncIterator[StoredEvent]:
        """Replays events up to a version, a time or the end, and yields each."""
        while version is None or self._aggregate.version < version:
            limit = _BATCH_SIZE if version is None else min(_BATCH_SIZE, version - self._aggregate.version)
            rows = await self._log.read_stream(self._aggregate.id, self._aggregate.version, limit)
            for row in rows:
                if at is not None and row.recorded_at > at:
                    return
                recorded = decode(row, self._log.context, self._catalog)
                self._aggregate.replay(recorded.data, recorded.version, recorded.recorded_at)
                self._recorded_at = row.recorded_at
                yield row
            if len(rows) < limit:
                return

    def state(self, stream: str, version: int | None = None, at: datetime | None = None) -> State:
        """Returns the state; raises `NotFound` if the stream has no such version, or had not begun at the time."""
        here = self._aggregate
        if version is not None and here.version < version:
            raise NotFound(f"the stream {stream!r} has {here.version} versions, not {version}")
        if not here.version:
            raise NotFound(f"the stream {stream!r} had not begun {'yet' if at is None else f'at {at.isoformat()}'}")
        return State(type(here).__name__, here.version, self._recorded_at, self.as_json())

    def as_json(self) -> Mapping[str, Any]:
        """Returns the state as JSON values."""
        state: Mapping[str, Any] = to_jsonable_python(_ordered(self._aggregate.state()), fallback=repr)
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
