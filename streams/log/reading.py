"""Reading of a log: streams, the log from a position, a partition of it, and its head."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from schemas.envelope import Metadata, Receipt, Rejection
from schemas.errors import Invalid
from schemas.expected_version import ExpectedVersion
from schemas.system import ContextName
from streams.database.store import Store
from streams.log.snapshots import Snapshot
from streams.log.stored_events import EventData, StoredEvent
from streams.log.timelines import Timeline, Timelines
from streams.log.timers import TimerChange

MAX_READ_EVENTS = 5000
MAX_READ_BYTES = 1024 * 1024
"""How much JSON of events one read returns, as it is stored: compressed if it is long. The last event may exceed it."""
_POSITIONS_PER_READ = 10_000
_HEADER_BYTES = 4
"""Bytes that a stored value has beside its text, at most."""

MAX_STREAM_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log."""

    position: int
    partitions: tuple[int, ...]
    """The position of the newest event in each partition; 0 for none."""


class Write(NamedTuple):
    """Events for one stream at an expected version; without events, only the version is checked."""

    stream: str
    expected: ExpectedVersion
    events: tuple[EventData, ...] = ()


def checked(stream: str) -> str:
    """Returns a stream's name if a log accepts it: one line of at most 1,000 bytes; raises `Invalid` otherwise."""
    if "\n" in stream or "\x00" in stream or len(stream.encode()) > MAX_STREAM_BYTES:
        raise Invalid(f"the stream's name {stream[:100]!r} is not one line of at most {MAX_STREAM_BYTES} bytes")
    return stream


class Append(NamedTuple):
    """Everything that one command appends, all or nothing, together with its receipt."""

    command_id: UUID
    fingerprint: bytes
    """Distinguishes a repeated command from another one with the same id."""
    metadata: Metadata
    writes: tuple[Write, ...]
    """The command's own stream comes first."""
    rejection: Rejection | None = None
    timers: tuple[TimerChange, ...] = ()


class ReadableLog(Protocol):
    """A context's log, for readers.

    A read returns at most ``limit`` events and some of `MAX_READ_BYTES`, but one if there is any: `is_full` says whether there
    may be more. `log_events`, `partition_events` and `stream_events` read on.
    """

    context: ContextName

    async def head(self) -> Head: ...

    async def version(self, stream: str) -> int: ...

    async def read_stream(self, stream: str, after: int = 0, limit: int = MAX_READ_EVENTS) -> Sequence[StoredEvent]: ...

    async def read(self, after: int, limit: int) -> Sequence[StoredEvent]: ...

    async def read_partition(self, partition: int, after: int, up_to: int, limit: int) -> Sequence[StoredEvent]: ...

    async def read_positions(self, positions: Sequence[int]) -> Sequence[StoredEvent]: ...

    async def timelines(self) -> Timelines: ...

    async def snapshot(self, stream: str) -> Snapshot | None: ...


class AppendableLog(ReadableLog, Protocol):
    """A context's log, for the write side."""

    async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
        """Appends a batch in one round trip; returns for each command its receipt, a `Conflict` or an `IdempotencyKeyReused`.

        A command that was handled before gets its first receipt, marked as repeated. If a command is not appended, later
        commands of the batch that expect an exact version of one of its streams are conflicts, because they were decided on
        top of its events. No two commands of a batch may have the same id.
        """
        ...

    async def receipt(self, command_id: UUID, fingerprint: bytes | None = None) -> Receipt | None:
        """Returns the receipt of a command that was handled before; raises `IdempotencyKeyReused` if it was another command.

        Without a fingerprint, it returns the receipt of any command with this id.
        """
        ...

    async def answers(self, command_ids: Iterable[UUID]) -> Mapping[UUID, Rejection | None]:
        """Returns how commands were answered: ``None`` for an accepted one. Commands without a receipt are missing."""
        ...

    async def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Stores a snapshot, in place of an older one."""
        ...


class PostgresLog:
    """A context's log in PostgreSQL, for readers; see `ReadableLog`."""

    def __init__(self, store: Store, context: ContextName) -> None:
        self.context = context
        self._store = store

    async def head(self) -> Head:
        """Returns the current end of the log."""
        row = await self._store.fetch_merged("head")
        assert row is not None, "the migration creates the head row"
        return Head(row["position"], tuple(row["partition_heads"]))

    async def version(self, stream: str) -> int:
        """Returns the version of a stream; 0 if it does not exist."""
        return await self._store.fetchval("version", stream) or 0

    async def read_stream(self, stream: str, after: int = 0, limit: int = MAX_READ_EVENTS) -> Sequence[StoredEvent]:
        """Returns a stream's events above a version, in order."""
        return await self._rows("read_stream", stream, after, limit, MAX_READ_BYTES)

    async def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        """Returns events above a position, in order."""
        return await self._rows("read_log", after, limit, MAX_READ_BYTES)

    async def read_partition(self, partition: int, after: int, up_to: int, limit: int) -> Sequence[StoredEvent]:
        """Returns a partition's events above ``after`` and not above ``up_to``, in order."""
        return await self._rows("read_partition", partition, after, up_to, limit, MAX_READ_BYTES)

    async def read_positions(self, positions: Sequence[int]) -> Sequence[StoredEvent]:
        """Returns the events at some positions, in order; positions without an event are left out."""
        return await self._rows("read_positions", positions)

    async def timelines(self) -> Timelines:
        """Returns the timelines of the log."""
        return Timelines(tuple(Timeline(**row) for row in await self._store.fetch("timelines")))

    async def snapshot(self, stream: str) -> Snapshot | None:
        """Returns the newest snapshot of a stream's aggregate, unless it is ahead of the stream."""
        row = await self._store.fetchrow("snapshot", stream)
        return None if row is None else Snapshot(row["stream"], row["version"], row["state_schema"], row["state"])

    async def _rows(self, name: str, *arguments: object) -> Sequence[StoredEvent]:
        return [StoredEvent.of(record) for record in await self._store.fetch(name, *arguments)]


def is_full(events: Sequence[StoredEvent], limit: int) -> bool:
    """Returns whether a read has reached one of its limits: there may be more events after these."""
    return len(events) >= limit or sum(map(stored_bytes, events)) >= MAX_READ_BYTES


def stored_bytes(event: StoredEvent) -> int:
    """Returns the bytes that an event's data have in the log, at most."""
    data = event.data
    return _HEADER_BYTES + len(data if isinstance(data, bytes) or data.isascii() else data.encode())


async def log_events(
    log: ReadableLog, after: int = 0, up_to: int | None = None, limit: int = MAX_READ_EVENTS
) -> AsyncIterator[Sequence[StoredEvent]]:
    """Yields a log's events above ``after`` in chunks of at most ``limit``: up to a position, or all that it has now."""
    while (up_to is None or after < up_to) and (rows := await log.read(after, limit)):
        after = rows[-1].position
        if up_to is not None and after > up_to:
            rows = [row for row in rows if row.position <= up_to]
        if rows:
            yield rows


async def stream_events(
    log: ReadableLog, stream: str, after: int = 0, limit: int | None = None
) -> AsyncIterator[Sequence[StoredEvent]]:
    """Yields a stream's events above a version in chunks: all of them, or ``limit``."""
    is_complete = False
    while not is_complete and limit != 0:
        size = MAX_READ_EVENTS if limit is None else min(MAX_READ_EVENTS, limit)
        if rows := await log.read_stream(stream, after, size):
            yield rows
            after = rows[-1].version
        is_complete, limit = not is_full(rows, size), None if limit is None else limit - len(rows)


async def partition_events(
    log: ReadableLog, partition: int, after: int, up_to: int, limit: int = 1000
) -> AsyncIterator[Sequence[StoredEvent]]:
    """Yields a partition's events above ``after`` and not above ``up_to``, in chunks of at most ``limit``.

    Each read looks at a bounded number of positions, so that none takes long, however few events the partition has.
    """
    while after < up_to:
        end = min(after + _POSITIONS_PER_READ, up_to)
        if rows := await log.read_partition(partition, after, end, limit):
            yield rows
        after = rows[-1].position if is_full(rows, limit) else end
