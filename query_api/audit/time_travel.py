"""Time travel: what a stream's events had added up to at a version or a time, and what lies between two versions.

The one place of the read side that knows aggregates: it folds, and decides nothing. Snapshots are not looked at: an auditor
is told what the events say, not what somebody wrote down about them.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jsonpatch
from pydantic_core import to_jsonable_python

from aggregates import system
from aggregates.stream import Stream
from query_api.audit.history import described
from schemas.catalog import Catalog
from schemas.errors import Invalid, NotFound
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent, decode

MAX_VERSIONS = 1000
_BATCH_SIZE = 5000


@dataclass(frozen=True, slots=True)
class State:
    """The state of a stream as it was."""

    category: str
    version: int
    recorded_at: datetime
    """When the event of that version was recorded."""
    state: Mapping[str, Any]


class TimeTravel:
    """Returns the states of streams as they were."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._streams = system.streams_of(system.installed(catalog), catalog)

    async def state(self, log: ReadableLog, stream: str, *, version: int | None = None, at: datetime | None = None) -> State:
        """Returns the state after a version, as it was at a time, or now; raises `NotFound` if there was none."""
        traveller = await self._traveller(log, stream)
        async for _ in traveller.go(version, at):
            pass
        return traveller.state(version, at)

    async def difference(self, log: ReadableLog, stream: str, old: int, new: int) -> Mapping[str, Any]:
        """Returns what changed between two versions, as a JSON Patch (RFC 6902), and the events that changed it."""
        traveller = await self._traveller(log, stream)
        if not 0 <= old < new <= old + MAX_VERSIONS:
            raise Invalid(f"a difference is between a version and a later one, at most {MAX_VERSIONS} further")
        async for _ in traveller.go(old):
            pass
        before = traveller.shown()
        events = [row async for row in traveller.go(new)]
        after = traveller.state(new)
        return {
            "stream_category": after.category,
            "from": old,
            "to": new,
            "patch": jsonpatch.make_patch(before, after.state).patch,
            "events": [described(row) for row in events],
        }

    async def _traveller(self, log: ReadableLog, name: str) -> "_Traveller":
        stream = self._streams.get(log.context, {}).get(name.partition("-")[0])
        rows = await log.read_stream(name, 0, 1)
        if stream is None or not rows:
            raise NotFound(f"there is no stream {name!r} with a state in {log.context}")
        return _Traveller(log, self._catalog, stream, name, rows[0].recorded_at)


class _Traveller:
    """A state on its way through its stream."""

    def __init__(self, log: ReadableLog, catalog: Catalog, stream: Stream[Any], name: str, began_at: datetime) -> None:
        self._log, self._catalog, self._stream, self._name = log, catalog, stream, name
        self._version, self._state, self._recorded_at = 0, stream.initial, began_at

    async def go(self, version: int | None = None, at: datetime | None = None) -> AsyncIterator[StoredEvent]:
        """Goes on to a version, a time or the end, past one event after another."""
        while version is None or self._version < version:
            limit = _BATCH_SIZE if version is None else min(_BATCH_SIZE, version - self._version)
            rows = await self._log.read_stream(self._name, self._version, limit)
            for row in rows:
                if at is not None and row.recorded_at > at:
                    return
                self._state = self._stream.evolve(self._state, decode(row, self._log.context, self._catalog).data)
                self._version, self._recorded_at = row.version, row.recorded_at
                yield row
            if len(rows) < limit:
                return

    def state(self, version: int | None = None, at: datetime | None = None) -> State:
        """Returns the state; raises `NotFound` if the stream did not get to the version, or had not begun at the time."""
        if version is not None and self._version < version:
            raise NotFound(f"the stream {self._name!r} has {self._version} versions, not {version}")
        if not self._version:
            raise NotFound(f"the stream {self._name!r} had not begun {'yet' if at is None else f'at {at.isoformat()}'}")
        return State(self._stream.category, self._version, self._recorded_at, self.shown())

    def shown(self) -> Mapping[str, Any]:
        """Returns the state as JSON values."""
        shown: Mapping[str, Any] = to_jsonable_python(_ordered(dict(self._state)), fallback=repr)
        return shown


def _ordered(value: Any) -> Any:
    """The same with its sets as lists in a fixed order, so that two states can be compared."""
    if isinstance(value, set | frozenset):
        return sorted(map(_ordered, value), key=repr)
    if isinstance(value, Mapping):
        return {key: _ordered(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_ordered(inner) for inner in value]
    return value
