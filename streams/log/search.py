"""Search in a log: events that meet conditions, between positions or times. Each step does a bounded amount of work."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas.system import ContextName
from streams.database.pools import WHOLE_LOG_SECONDS
from streams.installation import Installation
from streams.log.reading import MAX_READ_BYTES, PostgresLog, is_full
from streams.log.stored_events import StoredEvent

_POSITIONS_PER_STEP = 10_000


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions that all events of a search meet; ``None`` means any."""

    stream: str | None = None
    types: tuple[str, ...] | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one step of a search."""

    rows: Sequence[StoredEvent]
    looked_up_to: int
    """The position up to which there are no further events."""


@dataclass(frozen=True, slots=True)
class EventsWithText:
    """The events of one type whose data hold a text."""

    type: str
    events: int
    first: int
    """The position of the first one."""
    last: int
    since: datetime
    """When the first one was recorded."""
    until: datetime

    def joined(self, later: "EventsWithText") -> "EventsWithText":
        """Returns these events together with later ones of the same type."""
        return EventsWithText(self.type, self.events + later.events, self.first, later.last, self.since, later.until)


class SearchableLog(PostgresLog):
    """A context's log in PostgreSQL, for searching."""

    @classmethod
    def of_contexts(cls, installation: Installation, contexts: Iterable[ContextName]) -> Mapping[ContextName, "SearchableLog"]:
        """Returns the logs of some contexts."""
        return {name: cls(installation.log_store(name), name) for name in contexts}

    async def search(self, conditions: Conditions, after: int, up_to: int, limit: int = 500) -> AsyncIterator[Found]:
        """Searches the positions above ``after`` and not above ``up_to``, in order; a step yields at most ``limit`` events."""
        arguments = (conditions.stream, None if conditions.types is None else list(conditions.types), conditions.correlation_id)
        while after < up_to:
            end = min(after + _POSITIONS_PER_STEP, up_to)
            rows = await self._rows("search", after, end, *arguments, limit, MAX_READ_BYTES)
            if is_full(rows, limit):
                end = rows[-1].position
            yield Found(rows, end)
            after = end

    async def with_text(self, text: str, up_to: int) -> AsyncIterator[tuple[int, Sequence[EventsWithText]]]:
        """Yields, for one part of the log after another up to a position, its end and the events whose data hold a text."""
        for after in range(0, up_to, _POSITIONS_PER_STEP):
            end = min(after + _POSITIONS_PER_STEP, up_to)
            rows = await self._store.fetch("events_with_text", after, end, text, seconds=WHOLE_LOG_SECONDS)
            yield end, [EventsWithText(**row) for row in rows]

    async def by_id(self, event_id: UUID) -> StoredEvent | None:
        """Returns the event with an id, or ``None`` if the log does not have it."""
        rows = await self._rows("by_id", event_id)
        return rows[0] if rows else None

    async def count(self, partition: int, up_to: int) -> int:
        """Returns how many events a partition has up to a position."""
        return int(await self._store.fetchval("count_partition", partition, up_to, seconds=WHOLE_LOG_SECONDS))

    async def position_before(self, time: datetime) -> int:
        """Returns the position of the last event that was recorded before a time; 0 if there is none.

        Times grow with positions, so a binary search finds it in some twenty reads of one row.
        """
        low, high = 0, (await self.head()).position
        while low < high:
            middle = (low + high + 1) // 2
            (row,) = await self.read(middle - 1, 1) or (None,)
            if row is not None and row.recorded_at < time:
                low = max(middle, row.position)
            else:
                high = middle - 1
        return low
