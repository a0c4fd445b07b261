"""Dead letters: events that a subscription could not handle, kept in order until they are handled or skipped.

Every later event of the stream is parked behind an event that is parked, so that the order is kept; events of all other streams
are handled. An event is parked in the transaction that moves the checkpoint past it, so that none is lost and none is parked
twice. The states of a dead letter::

    retrying ──attempts used up──▶ parked ──redrive──▶ retrying         waiting ──the one before it is gone──▶ (tried)
        └──────handled──▶ removed, or repaired if an operator has edited its data
    any of them ──skip──▶ skipped
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Literal

from prometheus_client import Counter

from schemas.errors import DeadLettersFull
from schemas.system import ContextName
from streams.broker.cloudevents import decode_event, encode_event, place_of
from streams.database.pools import Connection
from streams.database.store import Store
from streams.log.stored_events import StoredEvent
from streams.subscriptions.faults import Fault

State = Literal["retrying", "parked", "waiting", "skipped", "repaired"]
Resolutions = Mapping[tuple[ContextName, int], str | None]
"""By context and position: the data that an event has for a subscription, ``None`` if it is left out."""
MAX_DEATHS = 3
"""The number of processes that may die of a dead letter until it waits for an operator; of one who tries it again: one."""
CLAIM_SECONDS = 15.0
"""How long no other process tries a dead letter that one has claimed, unless that one extends or ends its claim."""
FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 600.0

PARKED = Counter("caudal_dead_letters_parked", "Events that were parked.", ["subscription"])


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that a subscription could not handle, byte for byte, and what happens to it."""

    id: int
    subscription: str
    context: ContextName
    partition: int
    origin: str
    """``topic/partition@offset``, or ``log@position``."""
    position: int | None
    """``None`` for a foreign record: one that is not an event of the log."""
    stream: str | None
    type: str | None
    state: State
    error: str | None
    traceback: str | None
    """Of the last attempt, without the values of variables."""
    attempts: int
    deaths: int
    """Attempts that no process has survived, in a row."""
    parked_at: datetime
    due_at: datetime | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    edited: str | None
    """JSON instead of the event's data."""

    @property
    def name(self) -> str:
        """Its name for operators: ``system.subscription/context@position``, or the origin of a foreign record."""
        place = self.origin if self.position is None else f"{self.context.context}@{self.position}"
        return f"{self.subscription}/{place}"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "DeadLetter":
        """Returns the dead letter in a row of the table."""
        fields = {name: row[name] for name in cls.__slots__ if name not in ("context", "headers")}
        headers = tuple(zip(row["header_names"], row["header_values"], strict=True))
        return cls(context=ContextName.parse(row["source"]), headers=headers, **fields)

    def stored_event(self) -> StoredEvent:
        """Returns the event, with the data that an operator has edited; raises `Malformed` for a foreign record."""
        record = SimpleNamespace(
            topic=self.origin, partition=self.partition, offset=0, key=self.key, value=self.value, headers=self.headers
        )
        event = decode_event(record)
        return event if self.edited is None else event._replace(data=self.edited)


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that is being parked."""

    context: ContextName
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    origin: str
    event: StoredEvent | None
    """``None`` for a foreign record."""
    fault: Fault | None
    """``None`` for an event that only waits behind another of its stream."""

    @classmethod
    def of_event(cls, context: ContextName, event: StoredEvent, fault: Fault | None) -> "Parked":
        """Returns an event of a log to park."""
        record = encode_event(event, context)
        return cls(context, event.partition, record.key, record.value, record.headers, f"log@{event.position}", event, fault)

    @classmethod
    def of_record(cls, context: ContextName, record: Any, error: Exception) -> "Parked":
        """Returns a foreign record of a topic to park."""
        origin = place_of(record)
        headers = tuple(record.headers)
        return cls(context, record.partition, record.key, record.value, headers, origin, None, Fault.of(error))

    @property
    def state(self) -> State:
        """The state in which it is parked."""
        if self.fault is None:
            return "waiting"
        return "parked" if self.event is None or self.fault.is_of_process else "retrying"


class DeadLetters:
    """The dead letters of one subscription in one schema."""

    def __init__(self, store: Store, subscription: str, max_attempts: int, max_open: int) -> None:
        """After ``max_attempts`` a dead letter waits for an operator; at most ``max_open`` events may be open."""
        self._store, self._subscription = store, subscription
        self._max_attempts, self._max_open = max_attempts, max_open

    async def blocked(self, connection: Connection, context: ContextName, streams: set[str]) -> set[str]:
        """Returns which of the streams have an open dead letter: their next events wait behind it."""
        sql = self._store.sql("dead_letters_blocked")
        return {row["stream"] for row in await connection.fetch(sql, self._subscription, str(context), list(streams))}

    async def park(self, connection: Connection, parked: Sequence[Parked]) -> None:
        """Keeps records; one that is kept already stays unchanged. Raises `DeadLettersFull` if too many events are open."""
        events = sum(one.event is not None for one in parked)
        if events and (open_now := await self.count(connection)) + events > self._max_open:
            raise DeadLettersFull(
                f"{self._subscription} has {open_now} dead letters: repair the cause and redrive them, or skip them, first"
            )
        for one in parked:
            event, fault = one.event, one.fault
            await connection.execute(
                self._store.sql("dead_letters_park"),
                self._subscription,
                str(one.context),
                one.partition,
                one.origin,
                *((None, None, None) if event is None else (event.position, event.stream, event.type)),
                one.state,
                *((None, None) if fault is None else (fault.error, None if event is None else fault.traceback)),
                0 if fault is None else 1,
                FIRST_PAUSE_SECONDS,
                one.key,
                one.value,
                [name for name, _ in one.headers],
                [value for _, value in one.headers],
                MAX_DEATHS - 1 if fault is not None and fault.is_of_process else 0,
            )
        PARKED.labels(self._subscription).inc(events)

    async def count(self, connection: Connection, context: ContextName | None = None) -> int:
        """Returns how many events are open, of one context or of all."""
        of = None if context is None else str(context)
        return int(await connection.fetchval(self._store.sql("dead_letters_count"), self._subscription, of))

    async def due(self) -> Sequence[tuple[ContextName, int, str]]:
        """Returns the streams whose first dead letter is to be tried again: context, partition, stream."""
        rows = await self._store.fetch("dead_letters_due", self._subscription, _MAX_PAUSE_SECONDS)
        return [(ContextName.parse(row["source"]), row["partition"], row["stream"]) for row in rows]

    async def of_stream(self, connection: Connection, context: ContextName, stream: str) -> Sequence[DeadLetter]:
        """Returns the open dead letters of a stream, in order, locked until the end of the transaction."""
        sql = self._store.sql("dead_letters_of_stream")
        return [DeadLetter.of(row) for row in await connection.fetch(sql, self._subscription, str(context), stream)]

    async def mark_handled(self, connection: Connection, dead_letter: DeadLetter) -> None:
        """Removes a dead letter that was handled; one with edited data stays as repaired."""
        await connection.execute(self._store.sql("dead_letter_handled"), dead_letter.id)

    async def mark_failed(self, connection: Connection, dead_letter: DeadLetter, fault: Fault) -> None:
        """Notes that an attempt failed: the next comes after twice the pause, or the dead letter waits for an operator."""
        is_tried_again = dead_letter.attempts + 1 < self._max_attempts
        pause = min(FIRST_PAUSE_SECONDS * 2**dead_letter.attempts, _MAX_PAUSE_SECONDS)
        sql = self._store.sql("dead_letter_failed")
        await connection.execute(sql, dead_letter.id, fault.error, fault.traceback, is_tried_again, pause)

    async def claim(self, connection: Connection, dead_letter: DeadLetter, deaths: int) -> bool:
        """Claims a dead letter for an attempt, so that it is due for no other process; returns whether it was due.

        ``deaths`` is how many processes will have died of it if this one does not survive the attempt.
        """
        sql = self._store.sql("dead_letter_claim")
        return await connection.fetchval(sql, dead_letter.id, deaths, CLAIM_SECONDS, _MAX_PAUSE_SECONDS) is not None

    async def extend_claim(self, dead_letter: DeadLetter, deaths: int) -> None:
        """Extends a claim; nothing if it is over and another process has claimed the dead letter."""
        await self._store.execute("dead_letter_extend_claim", dead_letter.id, deaths, CLAIM_SECONDS)

    async def release(self, connection: Connection, dead_letter: DeadLetter, deaths: int) -> None:
        """Ends a claim whose attempt has no result, and notes that the process has survived it: the dead letter is due again.

        Nothing changes if the attempt is recorded already, or another process has claimed the dead letter.
        """
        await connection.execute(self._store.sql("dead_letter_release"), dead_letter.id, deaths)

    async def mark_died(self, connection: Connection, dead_letter: DeadLetter, fault: Fault) -> None:
        """Notes that processes have died of a dead letter, which waits for an operator."""
        await connection.execute(self._store.sql("dead_letter_died"), dead_letter.id, fault.error, MAX_DEATHS - 1)

    async def resolutions(self, connection: Connection, *, with_open: bool) -> Resolutions:
        """Returns the events that are left out or have other data; with ``with_open`` open ones count as left out."""
        rows = await connection.fetch(self._store.sql("dead_letters_resolutions"), self._subscription, with_open)
        return {(ContextName.parse(row["source"]), row["position"]): row["edited"] for row in rows}

    async def unpublished(self, connection: Connection) -> Sequence[DeadLetter]:
        """Returns some that are not on their topic yet, locked until the end of the transaction."""
        rows = await connection.fetch(self._store.sql("dead_letters_unpublished"), self._subscription)
        return [DeadLetter.of(row) for row in rows]

    async def mark_published(self, connection: Connection, dead_letters: Sequence[DeadLetter]) -> None:
        """Notes that they are on their topic."""
        sql = self._store.sql("dead_letters_published")
        await connection.execute(sql, [dead_letter.id for dead_letter in dead_letters])

    async def all(self, *, with_resolved: bool = False) -> Sequence[DeadLetter]:
        """Returns the open ones in the order of their streams, on request also those that were skipped or repaired."""
        rows = await self._store.fetch("dead_letters", self._subscription, with_resolved)
        return [DeadLetter.of(row) for row in rows]

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> int:
        """Makes those due that are the first of their streams, the others follow them; returns how many streams."""
        ids = [dead_letter.id for dead_letter in dead_letters]
        return len(await self._store.fetch("dead_letters_redrive", ids))

    async def skip(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Leaves events out for good; the events that waited behind them become due."""
        async with self._store.transaction() as connection:
            for dead_letter in dead_letters:
                await connection.execute(self._store.sql("dead_letter_skip"), dead_letter.id)
            streams = {(one.context, one.stream) for one in dead_letters if one.stream is not None}
            for context, stream in streams:
                sql = self._store.sql("dead_letters_release_next")
                await connection.execute(sql, self._subscription, str(context), stream)

    async def edit(self, dead_letter: DeadLetter, data: str) -> None:
        """Replaces an event's data for this subscription alone; the log stays unchanged."""
        await self._store.execute("dead_letter_edit", dead_letter.id, data)


def resolved(resolutions: Resolutions, context: ContextName, events: Iterable[StoredEvent]) -> list[StoredEvent]:
    """Returns events as operators have resolved them: without those that are left out, edited ones with their new data."""
    if not resolutions:
        return list(events)
    return [found for event in events if (found := _resolved(resolutions, context, event)) is not None]


def _resolved(resolutions: Resolutions, context: ContextName, event: StoredEvent) -> StoredEvent | None:
    if (context, event.position) not in resolutions:
        return event
    edited = resolutions[context, event.position]
    return None if edited is None else event._replace(data=edited)
