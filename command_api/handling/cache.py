"""The cache of states: a cached stream is not read again. The append detects a state that is out of date."""

import gc
import sys
from collections import OrderedDict
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from prometheus_client import Gauge

from aggregates.state import State
from schemas.system import ContextName

BYTES = Gauge("caudal_cached_states_bytes", "Estimated size of the states of streams in memory.")
_EMPTY_BYTES = 2000
_STATE_BY_DATA = 4
"""Upper bound of the bytes of Python objects per byte of their JSON."""
_REWEIGH_BYTES = 64 * 1024
_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


class CachedState(NamedTuple):
    """The state of a stream at a version. Immutable: it is replaced or dropped, never repaired."""

    version: int
    state: State
    snapshot_version: int
    """The version of the newest known snapshot; 0 for none."""


@dataclass(slots=True)
class _Entry:
    cached: CachedState
    bytes: int
    """The last measured size, and the estimated growth since."""
    weighed: int
    """The last measured size."""


class StateCache:
    """The most recently used states of one process, up to a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[ContextName, str], _Entry] = OrderedDict()
        self._bytes = 0
        BYTES.set_function(lambda: self._bytes)

    def get(self, context: ContextName, stream: str) -> CachedState | None:
        """Returns the state of a stream if it is cached; it is the most recently used one now."""
        entry = self._entries.get((context, stream))
        if entry is None:
            return None
        self._entries.move_to_end((context, stream))
        return entry.cached

    def put(self, context: ContextName, stream: str, cached: CachedState, added_bytes: int | None = None) -> None:
        """Caches a state in place of an earlier one, and drops the least recently used ones if there is no room.

        ``added_bytes`` is the size of the events that were added since the earlier one; ``None`` for a state that was loaded,
        whose size is measured. A growing state is measured again when its estimate has doubled, so this costs little.
        """
        key = (context, stream)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(cached, 0, 0)
            self._resize(entry, _EMPTY_BYTES)
            entry.weighed = _EMPTY_BYTES
        entry.cached = cached
        self._entries.move_to_end(key)
        if added_bytes is not None:
            self._resize(entry, entry.bytes + _STATE_BY_DATA * added_bytes)
        if added_bytes is None or entry.bytes > 2 * entry.weighed + _REWEIGH_BYTES:
            self._resize(entry, size_of(cached.state))
            entry.weighed = entry.bytes
        while self._bytes > self._max_bytes and len(self._entries) > 1:
            self.evict(*next(iter(self._entries)))

    def evict(self, context: ContextName, stream: str) -> None:
        """Drops the state of a stream."""
        if (entry := self._entries.pop((context, stream), None)) is not None:
            self._bytes -= entry.bytes

    def _resize(self, entry: _Entry, size: int) -> None:
        self._bytes += size - entry.bytes
        entry.bytes = size


def size_of(value: Any) -> int:
    """Estimates the bytes that a value and everything that it alone refers to take, without classes and modules."""
    seen: set[int] = set()
    todo, total = [value], 0
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, _SHARED):
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        todo += gc.get_referents(item)
    return total
