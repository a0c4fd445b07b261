"""The in-memory twin of the log: the same answers without a database, for tests; held to the same contract suite."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from schemas.envelope import Receipt, Rejection
from schemas.errors import Conflict, IdempotencyKeyReused
from schemas.expected_version import ANY_VERSION, STREAM_EXISTS
from schemas.system import ContextName
from streams.log.appending import receipt_of
from streams.log.partitioning import partition_of
from streams.log.reading import MAX_READ_BYTES, MAX_READ_EVENTS, Append, Head, Write, checked, stored_bytes
from streams.log.snapshots import Snapshot
from streams.log.stored_events import EventData, StoredEvent, encode_metadata
from streams.log.timelines import Timelines
from streams.log.timers import Timer


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryLog:
    """A context's log in memory."""

    def __init__(self, context: ContextName, partitions: int = 4, now: Callable[[], datetime] = _now) -> None:
        """``now`` is the clock that says when an event is recorded."""
        self.context = context
        self._now = now
        self._rows: list[StoredEvent] = []
        self._heads = [0] * partitions
        self._versions: dict[str, int] = {}
        self._receipts: dict[UUID, tuple[bytes, Receipt]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self.timers: dict[tuple[str, str], Timer] = {}
        """The timers that are set, by stream and name."""

    async def head(self) -> Head:
        return Head(len(self._rows), tuple(self._heads))

    async def version(self, stream: str) -> int:
        return self._versions.get(stream, 0)

    async def read_stream(self, stream: str, after: int = 0, limit: int = MAX_READ_EVENTS) -> Sequence[StoredEvent]:
        return limited((row for row in self._rows if row.stream == stream and row.version > after), limit)

    async def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        return limited(self._rows[after : after + limit], limit)

    async def read_partition(self, partition: int, after: int, up_to: int, limit: int) -> Sequence[StoredEvent]:
        return limited((row for row in self._rows[after:up_to] if row.partition == partition), limit)

    async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
        for stream in {write.stream for append in appends for write in append.writes}:
            checked(stream)
        tainted: set[str] = set()
        answers = []
        for append in appends:
            answer = self._append(append, tainted)
            answers.append(answer)
            if isinstance(answer, Exception) or answer.repeated:
                tainted |= {write.stream for write in append.writes if write.events}
        return answers

    async def receipt(self, command_id: UUID, fingerprint: bytes | None = None) -> Receipt | None:
        if command_id not in self._receipts:
            return None
        known, receipt = self._receipts[command_id]
        if fingerprint is not None and known not in (fingerprint, b""):
            raise IdempotencyKeyReused("this command id was used before, for another command")
        return replace(receipt, repeated=True)

    async def answers(self, command_ids: Iterable[UUID]) -> Mapping[UUID, Rejection | None]:
        return {id: self._receipts[id][1].rejection for id in command_ids if id in self._receipts}

    async def read_positions(self, positions: Sequence[int]) -> Sequence[StoredEvent]:
        return [row for row in self._rows if row.position in positions]

    async def timelines(self) -> Timelines:
        return Timelines()

    async def snapshot(self, stream: str) -> Snapshot | None:
        snapshot = self._snapshots.get(stream)
        return snapshot if snapshot is not None and snapshot.version <= self._versions.get(stream, 0) else None

    async def keep_snapshot(self, snapshot: Snapshot) -> None:
        kept = self._snapshots.get(snapshot.stream)
        if kept is None or kept.version < snapshot.version or kept.state_schema != snapshot.state_schema:
            self._snapshots[snapshot.stream] = snapshot

    def _append(self, append: Append, tainted: set[str]) -> Receipt | Exception:
        if append.command_id in self._receipts:
            fingerprint, receipt = self._receipts[append.command_id]
            if fingerprint not in (append.fingerprint, b""):
                return IdempotencyKeyReused("this command id was used before, for another command")
            return replace(receipt, repeated=True)
        about = append.writes[0].stream
        if not all(self._allows(write, tainted) for write in append.writes):
            return Conflict(f"the stream {about} is at version {self._versions.get(about, 0)} by now")
        rows = [self._record(write, event, append) for write in append.writes for event in write.events]
        position = max((row.position for row in rows if row.stream == about), default=0)
        receipt = receipt_of(append, self._versions.get(about, 0), position, partition_of(about, len(self._heads)), self._now())
        self._receipts[append.command_id] = (append.fingerprint, receipt)
        self._change_timers(append)
        return receipt

    def _change_timers(self, append: Append) -> None:
        for change in append.timers:
            self.timers.pop((change.stream, change.name), None)
            if change.due_at is not None:
                timer = Timer(
                    **change._asdict(),
                    correlation_id=append.metadata.correlation_id,
                    version=self._versions[change.stream],
                )
                self.timers[change.stream, change.name] = timer

    def _allows(self, write: Write, tainted: set[str]) -> bool:
        decided_on_a_version = write.expected not in (ANY_VERSION, STREAM_EXISTS)
        return write.expected.allows(self._versions.get(write.stream, 0)) and not (
            decided_on_a_version and write.stream in tainted
        )

    def _record(self, write: Write, event: EventData, append: Append) -> StoredEvent:
        version = self._versions[write.stream] = self._versions.get(write.stream, 0) + 1
        partition = partition_of(write.stream, len(self._heads))
        position = len(self._rows) + 1
        row = StoredEvent(
            position=position,
            stream=write.stream,
            version=version,
            id=UUID(event.id),
            type=event.type,
            schema_version=event.schema_version,
            partition=partition,
            previous=self._heads[partition],
            recorded_at=self._now(),
            data=event.data,
            metadata=encode_metadata(append.metadata),
        )
        self._rows.append(row)
        self._heads[partition] = position
        return row


def limited(rows: Iterable[StoredEvent], limit: int) -> Sequence[StoredEvent]:
    """Returns the first of some rows: at most ``limit``, and as many as one read returns."""
    found: list[StoredEvent] = []
    size = 0
    for row in islice(rows, limit):
        if size >= MAX_READ_BYTES:
            break
        found.append(row)
        size += stored_bytes(row)
    return found
