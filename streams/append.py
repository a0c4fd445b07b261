"""The event log, appended to: a batch of commands in one round trip."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from uuid_utils import uuid7

from schemas.catalog import ContextName
from schemas.envelope import Receipt
from schemas.errors import Conflict, IdempotencyKeyReused, Unavailable
from streams.log import Append, PostgresLog
from streams.partition import partition_of
from streams.postgres import Databases, statement
from streams.rows import encode_metadata

APPENDED, CONFLICT, REPEATED, REUSED = range(4)
_REUSED = "this command id or idempotency key was used before, for another command"


class AppendablePostgresLog(PostgresLog):
    """A context's log in PostgreSQL, for the write side."""

    def __init__(self, databases: Databases, dsn: str, context: ContextName, partitions: int) -> None:
        super().__init__(databases, dsn, context)
        self._partitions = partitions
        self._waking: asyncio.Task[None] | None = None

    async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
        """See `AppendableLog.append`; raises `Unavailable`, after which it is open whether the batch is in the log."""
        arguments = as_arrays(appends, self._partitions)
        async with self._databases.connection(self._dsn) as connection:
            rows = await connection.fetch(statement("append", self._schema), *arguments)
        self._wake_relay()
        return [_answer(row) for row in rows]

    async def receipt(self, command_id: UUID, fingerprint: bytes) -> Receipt | None:
        """See `AppendableLog.receipt`."""
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("receipt", self._schema), command_id)
        if row is None:
            return None
        if row["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused(_REUSED)
        return _receipt(row, repeated=True)

    async def handled(self, command_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the commands that have a receipt."""
        async with self._databases.connection(self._dsn) as connection:
            rows = await connection.fetch(statement("receipts", self._schema), list(command_ids))
        return {row["command_id"] for row in rows}

    def _wake_relay(self) -> None:
        # After the commit and on a connection of its own: a notification inside the transaction would serialise
        # commits, and one before the answer would hold it up. One that gets lost costs the relay's polling interval.
        if self._waking is None or self._waking.done():
            self._waking = asyncio.create_task(self._notify())

    async def _notify(self) -> None:
        with suppress(Unavailable):
            async with self._databases.connection(self._dsn) as connection:
                await connection.execute(statement("wake_relay", self._schema), str(self.context))


def as_arrays(appends: Sequence[Append], partitions: int) -> tuple[list[Any], ...]:
    """A batch as the arrays that ``append.sql`` takes: commands, writes, distinct streams, events."""
    streams: dict[str, int] = {}
    writes = [write for append in appends for write in append.writes]
    for write in writes:
        streams.setdefault(write.stream, len(streams) + 1)
    events = [event for write in writes for event in write.events]
    return (
        [append.command_id for append in appends],
        [append.fingerprint for append in appends],
        [append.refusal for append in appends],
        [append.refusal_kind for append in appends],
        [encode_metadata(append.metadata) for append in appends],
        [len(append.writes) for append in appends],
        [streams[write.stream] for write in writes],
        [write.expected for write in writes],
        [len(write.events) for write in writes],
        list(streams),
        [partition_of(stream, partitions) for stream in streams],
        [str(uuid7()) for _ in events],
        [event.message_name for event in events],
        [event.schema_version for event in events],
        [event.model_dump_json() for event in events],
    )


def _answer(row: Mapping[str, Any]) -> Receipt | Exception:
    outcome = row["outcome"]
    if outcome == CONFLICT:
        return Conflict(f"the stream {row['stream']} is at version {row['version']} by now")
    if outcome == REUSED:
        return IdempotencyKeyReused(_REUSED)
    return _receipt(row, repeated=outcome == REPEATED)


def _receipt(row: Mapping[str, Any], *, repeated: bool = False) -> Receipt:
    return Receipt(
        command_id=row["command_id"],
        stream=row["stream"],
        version=row["version"],
        position=row["position"],
        partition=row["partition"],
        events=tuple(row["events"]),
        began_stream=row["began_stream"],
        refusal=row["refusal"],
        refusal_kind=row["refusal_kind"],
        repeated=repeated,
    )
