"""Aggregates in memory: those in use need no reading; the append tells when one is out of date."""

import gc
import sys
from collections import OrderedDict
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from prometheus_client import Gauge

from aggregates.aggregate import Aggregate
from schemas.catalog import ContextName

BYTES = Gauge("caudal_aggregates_bytes", "What the aggregates in memory weigh, about.")
_EMPTY_BYTES = 2000
_STATE_BY_DATA = 4
"""Python's objects take up to so many times the bytes of the JSON that they come from."""
_WORTH_WEIGHING = 64 * 1024
_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


@dataclass(slots=True)
class _Kept:
    aggregate: Aggregate
    bytes: int
    """What it weighed when it was weighed, and what was estimated since."""
    weighed: int
    """What it weighed when it was weighed last."""


class AggregateMemory:
    """The most recently used aggregates of one process, as many as a number of bytes holds."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[tuple[ContextName, str], _Kept] = OrderedDict()
        self._bytes = 0
        BYTES.set_function(lambda: self._bytes)

    def get(self, context: ContextName, stream: str) -> Aggregate | None:
        """The aggregate of a stream, where it is here; now the most recently used."""
        kept = self._kept.get((context, stream))
        if kept is None:
            return None
        self._kept.move_to_end((context, stream))
        return kept.aggregate

    def keep(self, context: ContextName, aggregate: Aggregate) -> None:
        """Keeps an aggregate, in the place of the least recently used ones if need be.

        A new one is taken for small, one that comes with a history is weighed; what it records is estimated (`record`).
        """
        key = (context, aggregate.id)
        kept = self._kept.get(key)
        if kept is None or kept.aggregate is not aggregate:
            self._forget(key)
            kept = self._kept[key] = _Kept(aggregate, 0, 0)
            self._weigh(kept, size_of(aggregate) if aggregate.version else _EMPTY_BYTES)
        else:
            self._kept.move_to_end(key)

    def record(self, context: ContextName, stream: str, data_bytes: int) -> None:
        """Takes into account that events of so many bytes were added to an aggregate; some of it may become its state.

        It is weighed again whenever the estimate has doubled: so weighing costs little, however large it grows.
        """
        if (kept := self._kept.get((context, stream))) is not None:
            kept.bytes += _STATE_BY_DATA * data_bytes
            self._bytes += _STATE_BY_DATA * data_bytes
            if kept.bytes > 2 * kept.weighed + _WORTH_WEIGHING:
                self._weigh(kept, size_of(kept.aggregate))
            self._make_room()

    def forget(self, context: ContextName, aggregate: Aggregate) -> None:
        """Drops an aggregate, where it is this very object that is kept."""
        kept = self._kept.get((context, aggregate.id))
        if kept is not None and kept.aggregate is aggregate:
            self._forget((context, aggregate.id))

    def _weigh(self, kept: _Kept, weight: int) -> None:
        self._bytes += weight - kept.bytes
        kept.bytes = kept.weighed = weight
        self._make_room()

    def _make_room(self) -> None:
        while self._bytes > self._most and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: tuple[ContextName, str]) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._bytes -= kept.bytes


def size_of(value: Any) -> int:
    """Bytes that a value and all that it alone refers to take, about: what classes and modules share does not count."""
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
