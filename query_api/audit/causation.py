"""Causation: the tree of events in which each led, through a command, to the next ones, across the contexts of a system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from query_api.audit.history import described
from schemas.errors import NotFound
from schemas.system import ContextName
from schemas.values.literals import read_uuid
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import StoredEvent, decode_metadata

_MAX_POSITIONS, _MAX_BYTES = 100_000, 16 * 1024 * 1024
_MAX_GENERATIONS = 1000
_DEEPEST = 50
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(slots=True)
class Cause:
    """An event, and the events that it led to."""

    context: ContextName
    row: StoredEvent
    effects: list["Cause"] = field(default_factory=list)

    def as_json(self) -> Mapping[str, Any]:
        """Returns the event, its context and its effects."""
        return {"context": str(self.context), **described(self.row), "effects": [effect.as_json() for effect in self.effects]}


@dataclass(frozen=True, slots=True)
class CausationTree:
    """The causes and the effects of an event, from the first cause on."""

    correlation_id: str
    roots: Sequence[Cause]
    """The events of the first command, and the first events of branches that were cut."""
    others: int
    """How many other trees have the same correlation id; they are not shown."""
    is_whole: bool
    """Whether every log was searched to its end, all that was found has room, and no branch was cut as too deep."""

    def as_json(self) -> Mapping[str, Any]:
        """Returns the tree as the audit shows it."""
        roots = [root.as_json() for root in self.roots]
        return {"correlation_id": self.correlation_id, "is_whole": self.is_whole, "others": self.others, "roots": roots}


async def causation_of(logs: Mapping[ContextName, SearchableLog], context: ContextName, position: int) -> CausationTree:
    """Returns the tree of the event at a position; raises `NotFound` if there is no such event.

    ``logs`` are those of the contexts that the event may be related to. The search has two steps: from the event up to its
    first cause, and then through every log, from the time of that cause on, for events with the same correlation id. What is
    found in a log has a limited size.
    """
    rows = await logs[context].read(position - 1, 1)
    if not rows or rows[0].position != position:
        raise NotFound(f"the log of {context} has no position {position}")
    correlation_id = decode_metadata(rows[0].metadata).correlation_id
    first = await _first_cause(logs, rows[0])
    found: list[Cause] = []
    is_whole, size = True, 0
    for name, log in logs.items():
        after, head = await log.position_before(first.recorded_at - _CLOCKS_DIFFER), (await log.head()).position
        up_to = min(head, after + _MAX_POSITIONS)
        is_whole = is_whole and up_to == head
        async for step in log.search(Conditions(correlation_id=correlation_id), after, up_to):
            found += [Cause(name, row) for row in step.rows]
            size += sum(len(row.data) for row in step.rows)
            if size > _MAX_BYTES:
                is_whole = False
                break
    roots, is_joined = _tree(found)
    began = decode_metadata(first.metadata).command_id
    own = [root for root in roots if decode_metadata(root.row.metadata).command_id == began] if is_joined else roots
    return CausationTree(correlation_id, own, len(roots) - len(own), is_whole and is_joined)


async def _first_cause(logs: Mapping[ContextName, SearchableLog], row: StoredEvent) -> StoredEvent:
    for _ in range(_MAX_GENERATIONS):
        cause = decode_metadata(row.metadata).causation_id
        above = None if cause is None else await _by_id(logs, cause)
        if above is None:
            break
        row = above
    return row


async def _by_id(logs: Mapping[ContextName, SearchableLog], text: str) -> StoredEvent | None:
    try:
        event_id = read_uuid(text)
    except ValueError:
        return None
    for log in logs.values():
        if (row := await log.by_id(event_id)) is not None:
            return row
    return None


def _tree(found: Sequence[Cause]) -> tuple[Sequence[Cause], bool]:
    """Returns the events whose cause is not among those found, and whether no branch was cut because it is too deep."""
    by_id = {str(cause.row.id): cause for cause in found}
    depths: dict[int, int] = {}
    roots: list[Cause] = []
    is_whole = True
    for cause in sorted(found, key=lambda one: (one.row.recorded_at, one.row.position)):
        above = by_id.get(decode_metadata(cause.row.metadata).causation_id or "")
        depth = 0 if above is None else depths.get(id(above), 0) + 1
        if above is None or depth > _DEEPEST:
            is_whole, depth = is_whole and above is None, 0
            roots.append(cause)
        else:
            above.effects.append(cause)
        depths[id(cause)] = depth
    return roots, is_whole
