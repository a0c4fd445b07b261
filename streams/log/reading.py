"""The event log, read: streams, the log from a position, a partition of it, and its head."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from schemas.catalog import ContextName
from schemas.envelope import Metadata, Receipt, Rejection
from schemas.errors import Invalid
from schemas.expected_version import ExpectedVersion
from streams.database.store import Store
from streams.log.snapshots import Snapshot
from streams.log.stored_events import EventData, StoredEvent

MAX_STREAM_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log goes."""

    position: int
    partitions: tuple[int, ...]
    """Position of the newest event in each partition; 0 for none."""


class Write(NamedTuple):
    """Events for one stream at an expected version; without events the version is only checked."""

    stream: str
    expected: ExpectedVersion
    events: tuple[EventData, ...] = ()


def checked(stream: str) -> str:
    """A stream's name, if it is one that a log takes; raises `Invalid`: a line of at most 1,000 bytes."""
    if "\n" in stream or "\x00" in stream or len(stream.encode()) > MAX_STREAM_BYTES:
        raise Invalid(f"a stream's name is one line of at most {MAX_STREAM_BYTES} bytes, not {stream[:100]!r}")
    return stream


class Append(NamedTuple):
    """Everything that one command appends, all or nothing, and the receipt that goes with it."""

    command_id: UUID
    fingerprint: bytes
    """Tells equal commands from others that use the same id."""
    metadata: Metadata
    writes: tuple[Write, ...]
    """The stream that the command is about comes first."""
    rejection: Rejection | None = None


class ReadableLog(Protocol):
    """A context's log, for readers."""

    context: ContextName

    async def head(self) -> Head: ...

    async def version(self, stream: str) -> int: ...

    async def read_stream(self, stream: str, after: int = 0, limit: int | None = None) -> Sequence[StoredEvent]: ...

    async def read(self, after: int, limit: int) -> Sequence[StoredEvent]: ...

    async def read_partition(self, partition: int, after: int, up_to: int, limit: int) -> Sequence[StoredEvent]: ...

    async def snapshot(self, stream: str) -> Snapshot | None: ...


class AppendableLog(ReadableLog, Protocol):
    """A context's log, for the write side."""

    async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
        """Appends a batch in one round trip; each command gets its receipt, or a `Conflict` or `IdempotencyKeyReused`.

        A command that was handled before gets its first receipt, marked as repeated. Once a command is not appended,
        later commands of the batch that expect an exact version of a stream it had events for are conflicts: they were
        decided on top of it. No two commands of a batch may have the same id.
        """
        ...

    async def receipt(self, command_id: UUID, fingerprint: bytes | None = None) -> Receipt | None:
        """The receipt of a command that was handled before; raises `IdempotencyKeyReused` where it was another one.

        Without a fingerprint it is that of whatever command had this id.
        """
        ...

    async def answers(self, command_ids: Iterable[UUID]) -> Mapping[UUID, Rejection | None]:
        """How commands were answered: ``None`` for an accepted one; those that have no receipt are missing."""
        ...

    async def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Keeps a snapshot in the place of an older one."""
        ...


class PostgresLog:
    """A context's log in PostgreSQL, for readers."""

    def __init__(self, store: Store, context: ContextName) -> None:
        self.context = context
        self._store = store

    async def head(self) -> Head:
        """How far the log goes now."""
        row = await self._store.fetchrow("head")
        assert row is not None, "the migration made the head row"
        return Head(row["position"], tuple(row["partition_heads"]))

    async def version(self, stream: str) -> int:
        """The version at which a stream is; 0 where it does not exist."""
        return await self._store.fetchval("version", stream) or 0

    async def read_stream(self, stream: str, after: int = 0, limit: int | None = None) -> Sequence[StoredEvent]:
        """A stream's events above a version, in order: all of them, or at most ``limit``."""
        return await self._rows("read_stream", stream, after, limit)

    async def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        """At most ``limit`` events above a position, in order."""
        return await self._rows("read_log", after, limit)

    async def read_partition(self, partition: int, after: int, up_to: int, limit: int) -> Sequence[StoredEvent]:
        """At most ``limit`` events of a partition above ``after`` and not above ``up_to``, in order."""
        return await self._rows("read_partition", partition, after, up_to, limit)

    async def snapshot(self, stream: str) -> Snapshot | None:
        """The newest snapshot of a stream's aggregate, unless it is ahead of the stream."""
        row = await self._store.fetchrow("snapshot", stream)
        return None if row is None else Snapshot(row["stream"], row["version"], row["state_schema"], row["state"])

    async def _rows(self, name: str, *arguments: object) -> Sequence[StoredEvent]:
        return [StoredEvent.of(record) for record in await self._store.fetch(name, *arguments)]


async def partition_events(
    log: ReadableLog, partition: int, after: int, up_to: int, limit: int = 1000
) -> AsyncIterator[Sequence[StoredEvent]]:
    """A partition's events above ``after`` and not above ``up_to``, in chunks."""
    while after < up_to and (rows := await log.read_partition(partition, after, up_to, limit)):
        yield rows
        after = rows[-1].position
