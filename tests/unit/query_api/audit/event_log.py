"""A log in memory that can be searched, for tests of the audit."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.envelope import Metadata
from schemas.message import Event
from schemas.system import ContextName
from streams.log.memory import limited
from streams.log.reading import MAX_READ_EVENTS, Head
from streams.log.search import Conditions, Found, SearchableLog
from streams.log.stored_events import StoredEvent, decode_metadata, encode, encode_metadata

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""When the event at position 0 would have been recorded; each later one comes a second later."""


class EventLog(SearchableLog):
    """Events in one list."""

    def __init__(self, context: ContextName) -> None:
        self.context = context
        self.rows: list[StoredEvent] = []

    def add(self, stream: str, event: Event, *, correlation: str = "c", cause: StoredEvent | None = None) -> StoredEvent:
        """Appends an event of a command of its own, which another event may have caused."""
        position, encoded = len(self.rows) + 1, encode(event)
        causation_id = None if cause is None else str(cause.id)
        row = StoredEvent(
            position=position,
            stream=stream,
            version=sum(row.stream == stream for row in self.rows) + 1,
            id=UUID(encoded.id),
            type=encoded.type,
            schema_version=encoded.schema_version,
            partition=0,
            previous=position - 1,
            recorded_at=BEGIN + timedelta(seconds=position),
            data=encoded.data,
            metadata=encode_metadata(
                Metadata(command_id=UUID(int=position), correlation_id=correlation, causation_id=causation_id)
            ),
        )
        self.rows.append(row)
        return row

    async def head(self) -> Head:
        return Head(len(self.rows), (len(self.rows),))

    async def version(self, stream: str) -> int:
        return sum(row.stream == stream for row in self.rows)

    async def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        return limited(self.rows[after : after + limit], limit)

    async def read_stream(self, stream: str, after: int = 0, limit: int = MAX_READ_EVENTS) -> Sequence[StoredEvent]:
        return limited((row for row in self.rows if row.stream == stream and row.version > after), limit)

    async def by_id(self, event_id: UUID) -> StoredEvent | None:
        return next((row for row in self.rows if row.id == event_id), None)

    async def position_before(self, time: datetime) -> int:
        return max((row.position for row in self.rows if row.recorded_at < time), default=0)

    async def search(self, conditions: Conditions, after: int, up_to: int, limit: int = 500) -> AsyncIterator[Found]:
        found = [row for row in self.rows[after:up_to] if _meets(row, conditions)]
        for begin in range(0, max(len(found), 1), limit):
            yield Found(found[begin : begin + limit], up_to)


def _meets(row: StoredEvent, conditions: Conditions) -> bool:
    return (
        conditions.stream in (None, row.stream)
        and (conditions.types is None or row.type in conditions.types)
        and conditions.correlation_id in (None, decode_metadata(row.metadata).correlation_id)
    )
