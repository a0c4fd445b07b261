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

from aggregates.stream import Stream
from aggregates.system import streams_of, with_sagas
from query_api.audit.history import described
from schemas.catalog import Catalog
from schemas.errors import Invalid, NotFound
from streams.discovery import declared_domains
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent, check_versions, decode

MAX_VERSIONS = 1000
_BATCH_SIZE = 5000


@dataclass(frozen=True, slots=True)
class State:
    """The state of a stream at a version."""

    category: str
    version: int
    recorded_at: datetime
    """When the event of that version was recorded."""
    state: Mapping[str, Any]


class TimeTravel:
    """Replays the streams of the installed systems."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._streams = streams_of(with_sagas(declared_domains(catalog), catalog), catalog)

    async def state(self, log: ReadableLog, stream: str, *, version: int | None = None, at: datetime | None = None) -> State:
        """Returns the state after a version, at a time, or of now; raises `NotFound` if there was none."""
        replay = await self._replay(log, stream)
        async for _ in replay.up_to(version, at):
            pass
        return replay.state(version, at)

    async def difference(self, log: ReadableLog, stream: str, old: int, new: int) -> Mapping[str, Any]:
        """Returns what changed between two versions as a JSON Patch (RFC 6902), with the events that changed it.

        Raises `Invalid` for versions that are not in order or too far apart, and `NotFound`.
        """
        replay = await self._replay(log, stream)
        if not 0 <= old < new <= old + MAX_VERSIONS:
            raise Invalid(f"`from` must be a version below `to`, and at most {MAX_VERSIONS} below it")
        async for _ in replay.up_to(old):
            pass
        before = replay.as_json()
        events = [row async for row in replay.up_to(new)]
        after = replay.state(new)
        return {
            "category": after.category,
            "from": old,
            "to": new,
            "patch": jsonpatch.make_patch(before, after.state).patch,
            "events": [described(row) for row in events],
        }

    async def _replay(self, log: ReadableLog, name: str) -> "_Replay":
        stream = self._streams.get(log.context, {}).get(name.partition("-")[0])
        rows = await log.read_stream(name, 0, 1)
        if stream is None or not rows:
            raise NotFound(f"there is no stream {name!r} with a state in {log.context}")
        return _Replay(log, self._catalog, stream, name, rows[0].recorded_at)


class _Replay:
    """A state that replays its stream, one event at a time."""

    def __init__(self, log: ReadableLog, catalog: Catalog, stream: Stream[Any], name: str, began_at: datetime) -> None:
        self._log, self._catalog, self._stream, self._name = log, catalog, stream, name
        self._version, self._state, self._recorded_at = 0, stream.initial, began_at

    async def up_to(self, version: int | None = None, at: datetime | None = None) -> AsyncIterator[StoredEvent]:
        """Replays events up to a version, a time or the end, and yields each."""
        while version is None or self._version < version:
            limit = _BATCH_SIZE if version is None else min(_BATCH_SIZE, version - self._version)
            rows = await self._log.read_stream(self._name, self._version, limit)
            check_versions(rows, self._version)
            for row in rows:
                if at is not None and row.recorded_at > at:
                    return
                self._state = self._stream.evolve(self._state, decode(row, self._log.context, self._catalog).data)
                self._version, self._recorded_at = row.version, row.recorded_at
                yield row
            if len(rows) < limit:
                return

    def state(self, version: int | None = None, at: datetime | None = None) -> State:
        """Returns the state; raises `NotFound` if the stream has no such version, or had not begun at the time."""
        if version is not None and self._version < version:
            raise NotFound(f"the stream {self._name!r} has {self._version} versions, not {version}")
        if not self._version:
            raise NotFound(f"the stream {self._name!r} had not begun {'yet' if at is None else f'at {at.isoformat()}'}")
        return State(self._stream.category, self._version, self._recorded_at, self.as_json())

    def as_json(self) -> Mapping[str, Any]:
        """Returns the state as JSON values."""
        state: Mapping[str, Any] = to_jsonable_python(_ordered(dict(self._state)), fallback=repr)
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
