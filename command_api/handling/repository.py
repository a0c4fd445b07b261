"""Loads the states of one context's streams: from the cache, from a snapshot and the events after it, or from all events."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from prometheus_client import Counter

from aggregates.deciding import Change, LoadedStream
from aggregates.state import State, state_schema_of
from aggregates.stream import Stream
from command_api.handling.cache import CachedState, StateCache
from schemas.catalog import Catalog
from schemas.errors import Unusable
from streams.log.reading import AppendableLog, checked, stream_events
from streams.log.snapshots import Snapshot
from streams.log.stored_events import check_versions, decode

_log = structlog.get_logger()

LOADED = Counter("caudal_states_loaded", "States of streams that were loaded.", ["source"])
_FROM_MEMORY, _FROM_SNAPSHOT, _FROM_EVENTS = map(LOADED.labels, ("memory", "snapshot", "events"))
SNAPSHOTS_IGNORED = Counter("caudal_snapshots_ignored", "Snapshots that the code cannot use, or not take.", ["category"])


class Repository:
    """Loads, remembers and evicts the states of one context's streams, and keeps their snapshots."""

    def __init__(self, log: AppendableLog, catalog: Catalog, cache: StateCache) -> None:
        self._log, self._catalog, self._cache = log, catalog, cache
        self._saving: set[asyncio.Task[None]] = set()
        self._reading: dict[str, asyncio.Task[CachedState]] = {}
        """Streams that are being read: however many callers ask for one at once, it is read once."""

    async def load(self, stream: Stream[Any], key: str, *, assume_new: bool = False) -> LoadedStream:
        """Returns a stream with its state, from the cache if possible; the append detects if it is out of date.

        With ``assume_new`` a stream that is not cached is assumed to be new, and nothing is read. Raises `Invalid` if no
        stream can have that name, and `Unavailable`.
        """
        name = stream.name(key)
        cached = self._cache.get(self._log.context, name)
        if cached is not None:
            _FROM_MEMORY.inc()
        elif assume_new:
            checked(name)
            cached = CachedState(0, stream.initial, 0)
        else:
            cached = await self._read_once(stream, checked(name))
        return LoadedStream(stream, key, cached.version, cached.state)

    def newest(self, loaded: LoadedStream) -> LoadedStream:
        """Returns a loaded stream with its newest cached state: a command may have been decided on it since it was loaded."""
        cached = self._cache.get(self._log.context, loaded.name)
        if cached is None or cached.version == loaded.version:
            return loaded
        return LoadedStream(loaded.stream, loaded.key, cached.version, cached.state)

    def remember(self, changes: Sequence[Change], data_bytes: Sequence[int]) -> list[Snapshot]:
        """Caches the states after a decision, before it is appended: the next command is decided on them.

        ``data_bytes`` are the sizes of each change's events. Returns the snapshots that are due, for `save` once the log has
        the events. If the append fails, the streams are evicted.
        """
        due = []
        for change, added in zip(changes, data_bytes, strict=True):
            loaded = change.loaded
            if not change.events:
                continue
            before = self._cache.get(self._log.context, loaded.name)
            version = loaded.version + len(change.events)
            cached = CachedState(version, change.state, 0 if before is None else before.snapshot_version)
            if (snapshot := self._snapshot_if_due(loaded.stream, loaded.name, cached)) is not None:
                due.append(snapshot)
                cached = cached._replace(snapshot_version=version)
            self._cache.put(self._log.context, loaded.name, cached, added)
        return due

    def evict(self, streams: Iterable[str]) -> None:
        """Drops the cached states of streams, so that they are read from the log."""
        for stream in streams:
            self._cache.evict(self._log.context, stream)

    def save(self, snapshots: Iterable[Snapshot]) -> None:
        """Saves snapshots in the background; one that is not saved costs a longer load, nothing else."""
        for snapshot in snapshots:
            task = asyncio.create_task(self._save(snapshot))
            self._saving.add(task)
            task.add_done_callback(self._saving.discard)

    async def _save(self, snapshot: Snapshot) -> None:
        try:
            await self._log.keep_snapshot(snapshot)
        except Exception as error:
            _log.warning("snapshot not saved", stream=snapshot.stream, error=repr(error))

    async def _read_once(self, stream: Stream[Any], name: str) -> CachedState:
        """Returns a stream as the log has it: all callers share one read, which continues if one of them is cancelled."""
        reading = self._reading.get(name)
        if reading is None:
            reading = self._reading[name] = asyncio.create_task(self._read(stream, name))
            reading.add_done_callback(lambda _: self._reading.pop(name, None))
        return await asyncio.shield(reading)

    async def _read(self, stream: Stream[Any], name: str) -> CachedState:
        cached = await self._from_snapshot(stream, name)
        (_FROM_SNAPSHOT if cached.version else _FROM_EVENTS).inc()
        state, version = cached.state, cached.version
        async for rows in stream_events(self._log, name, version):
            check_versions(rows, version)
            state = stream.fold(state, (decode(row, self._log.context, self._catalog).data for row in rows))
            version += len(rows)
        found = CachedState(version, state, cached.snapshot_version)
        if (snapshot := self._snapshot_if_due(stream, name, found)) is not None:
            self.save([snapshot])
            found = found._replace(snapshot_version=version)
        # A command that assumed a new stream may have been decided meanwhile: its state is the newer one.
        newer = self._cache.get(self._log.context, name)
        if newer is None:
            self._cache.put(self._log.context, name, found)
        return newer or found

    async def _from_snapshot(self, stream: Stream[Any], name: str) -> CachedState:
        state: type[State] = stream.state
        snapshot = None if state.snapshot_every is None else await self._log.snapshot(name)
        if snapshot is not None:
            try:
                read = state.from_snapshot(snapshot.state_schema, snapshot.state)
                return CachedState(snapshot.version, read, snapshot.version)
            except Unusable as error:
                SNAPSHOTS_IGNORED.labels(stream.category).inc()
                _log.info("snapshot ignored", stream=name, error=error.detail)
        return CachedState(0, stream.initial, 0)

    def _snapshot_if_due(self, stream: Stream[Any], name: str, cached: CachedState) -> Snapshot | None:
        state: type[State] = stream.state
        every = state.snapshot_every
        if every is None or cached.version - cached.snapshot_version < every:
            return None
        try:
            return Snapshot(name, cached.version, state_schema_of(state), cached.state.model_dump_json())
        except Exception as error:  # the author's serialiser may raise anything
            SNAPSHOTS_IGNORED.labels(stream.category).inc()
            _log.error("snapshot not taken", stream=name, error=repr(error))
            return None
