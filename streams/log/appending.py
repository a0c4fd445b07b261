"""Appending to the event log: a batch of commands in one round trip."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from schemas.envelope import Receipt, Rejection
from schemas.errors import CaudalError, Conflict, IdempotencyKeyReused
from schemas.system import ContextName
from streams.database.store import Store
from streams.log.partitioning import partition_of
from streams.log.reading import Append, PostgresLog
from streams.log.snapshots import Snapshot
from streams.log.stored_events import encode_metadata

APPENDED, CONFLICT, REPEATED, REUSED = range(4)
_SHORTEST_WAKE = 0.005
_REUSED = "this command id or idempotency key was used before, for another command"


class AppendablePostgresLog(PostgresLog):
    """A context's log in PostgreSQL, for the write side."""

    def __init__(self, store: Store, context: ContextName, partitions: int) -> None:
        super().__init__(store, context)
        self._partitions = partitions
        self._waking: asyncio.Task[None] | None = None
        self._grown = False

    async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
        """See `AppendableLog.append`; raises `Unavailable`: the caller cannot know whether the batch was appended."""
        arguments = as_arrays(appends, self._partitions)
        repeated: Mapping[UUID, Receipt] = {}
        async with self._store.connection() as connection:
            answers = await connection.fetchrow(self._store.sql("append"), *arguments)
            assert answers is not None, "the function returns one row"
            *columns, recorded_at = answers
            rows = list(zip(*columns, strict=True))
            if again := [append.command_id for append, (outcome, *_) in zip(appends, rows, strict=True) if outcome == REPEATED]:
                found = await connection.fetch(self._store.sql("receipts"), again)
                repeated = {row["command_id"]: _stored(row) for row in found}
        self._wake_relay()
        return [self._answer(append, row, recorded_at, repeated) for append, row in zip(appends, rows, strict=True)]

    async def receipt(self, command_id: UUID, fingerprint: bytes | None = None) -> Receipt | None:
        """See `AppendableLog.receipt`."""
        row = await self._store.fetchrow("receipts", [command_id])
        if row is None:
            return None
        if fingerprint is not None and row["fingerprint"] not in (fingerprint, b""):
            raise IdempotencyKeyReused(_REUSED)
        return _stored(row)

    async def answers(self, command_ids: Iterable[UUID]) -> Mapping[UUID, Rejection | None]:
        """See `AppendableLog.answers`."""
        rows = await self._store.fetch("answers", list(command_ids))
        return {row["command_id"]: _rejection(row["rejection"]) for row in rows}

    async def keep_snapshot(self, snapshot: Snapshot) -> None:
        """See `AppendableLog.keep_snapshot`."""
        values = (snapshot.stream, snapshot.version, snapshot.state_schema, snapshot.state)
        await self._store.execute("snapshot_keep", *values)

    async def drain(self) -> None:
        """Waits until the relay was woken for the last append. Call it before the databases are closed."""
        if self._waking is not None:
            await self._waking

    async def purge_receipts(self, keep: timedelta) -> list[str]:
        """Drops the tables whose every receipt is older than ``keep`` and returns their names.

        Also raises `Unavailable` if a long read blocks the drop.
        """
        return [row["purge_receipts"] for row in await self._store.fetch("purge_receipts", keep)]

    def _answer(
        self, append: Append, row: Sequence[int], recorded_at: datetime, repeated: Mapping[UUID, Receipt]
    ) -> Receipt | Exception:
        about = append.writes[0]
        outcome, version, position = row
        if outcome == APPENDED:
            return receipt_of(append, version, position, partition_of(about.stream, self._partitions), recorded_at)
        if outcome == REPEATED:
            return repeated[append.command_id]
        if outcome == REUSED:
            return IdempotencyKeyReused(_REUSED)
        if about.expected.allows(version):
            return Conflict(f"the decision on {about.stream} depends on a stream or a command whose append failed")
        return Conflict(f"the stream {about.stream} is at version {version} by now, expected was {about.expected}")

    def _wake_relay(self) -> None:
        # After the commit and on a connection of its own: a notification inside the transaction would serialise
        # commits, and one before the answer would hold it up. One that gets lost costs the relay's polling interval.
        self._grown = True
        if self._waking is None or self._waking.done():
            self._waking = asyncio.create_task(self._notify())

    async def _notify(self) -> None:
        while self._grown:
            self._grown = False
            with suppress(CaudalError):  # the relay also polls
                await self._store.execute("wake_relay")
            await asyncio.sleep(_SHORTEST_WAKE)


def as_arrays(appends: Sequence[Append], partitions: int) -> tuple[list[Any] | str | None, ...]:
    """Returns a batch as the arrays that ``append.sql`` takes: commands, writes, distinct streams, events."""
    streams: dict[str, int] = {}
    writes = [write for append in appends for write in append.writes]
    for write in writes:
        streams.setdefault(write.stream, len(streams) + 1)
    events = [event for write in writes for event in write.events]
    return (
        _array([append.command_id.hex for append in appends]),
        [append.fingerprint for append in appends],
        [append.rejection and orjson.dumps(append.rejection).decode() for append in appends],
        [encode_metadata(append.metadata) for append in appends],
        _array([str(len(append.writes)) for append in appends]),
        _array([str(streams[write.stream]) for write in writes]),
        _array([str(write.expected.code) for write in writes]),
        _array([str(len(write.events)) for write in writes]),
        list(streams),
        _array([str(partition_of(stream, partitions)) for stream in streams]),
        _array([event.id for event in events]),
        [event.type for event in events],
        _array([str(event.schema_version) for event in events]),
        [event.data for event in events],
        _timers(appends),
    )


def _timers(appends: Sequence[Append]) -> str | None:
    changes = [
        {
            "command": command,
            "ordinal": ordinal,
            **change._asdict(),
            "correlation_id": append.metadata.correlation_id,
        }
        for command, append in enumerate(appends, start=1)
        for ordinal, change in enumerate(append.timers)
    ]
    return orjson.dumps(changes).decode() if changes else None


def _array(values: Sequence[str]) -> str:
    """Returns values that need no quotes as the text of a PostgreSQL array."""
    return f"{{{','.join(values)}}}"


def receipt_of(append: Append, version: int, position: int, partition: int, recorded_at: datetime) -> Receipt:
    """Returns the receipt of a new append."""
    about = append.writes[0]
    if len(append.writes) == 1:
        events, own = tuple([event.type for event in about.events]), len(about.events)
    else:
        events = tuple([event.type for write in append.writes for event in write.events])
        own = sum(len(write.events) for write in append.writes if write.stream == about.stream)
    return Receipt(
        command_id=append.command_id,
        stream=about.stream,
        version=version,
        position=position,
        partition=partition,
        recorded_at=recorded_at,
        events=events,
        began_stream=bool(about.events) and version == own,
        rejection=append.rejection,
    )


def _stored(row: Mapping[str, Any]) -> Receipt:
    return Receipt(
        command_id=row["command_id"],
        stream=row["stream"],
        version=row["version"],
        position=row["position"],
        partition=row["partition"],
        recorded_at=row["recorded_at"],
        events=tuple(row["events"]),
        began_stream=row["began_stream"],
        rejection=_rejection(row["rejection"]),
        repeated=True,
    )


def _rejection(stored: str | None) -> Rejection | None:
    return None if stored is None else Rejection(**orjson.loads(stored))
