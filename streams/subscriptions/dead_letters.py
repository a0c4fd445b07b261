"""Dead letters: events that a subscription could not deal with, kept in order until they can be, or are skipped.

Behind an event that is parked every later one of its stream is parked too, so that order is kept; all others flow. Whoever
parks does so in the transaction that moves the checkpoint past the event, so that none is lost and none is parked twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Literal

from prometheus_client import Counter

from schemas.catalog import ContextName
from schemas.errors import CaudalError, DeadLettersFull
from streams.broker.cloudevents import decode_event, encode_event
from streams.database.pools import Connection, Databases
from streams.database.store import statement
from streams.log.stored_events import StoredEvent

State = Literal["retrying", "parked", "waiting", "skipped", "mended"]
Decided = Mapping[tuple[ContextName, int], str | None]
"""By context and position: the data that an event has for a subscription, ``None`` where it is left out."""
FIRST_PAUSE_SECONDS = 0.5

PARKED = Counter("caudal_dead_letters_parked", "Events that were parked.", ["subscription"])


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that a subscription could not deal with, byte for byte, and what is to become of it."""

    id: int
    subscription: str
    context: ContextName
    partition: int
    origin: str
    """``topic/partition@offset``, or ``log@position``."""
    position: int | None
    """``None`` for a record that is no event of the log's."""
    stream: str | None
    type: str | None
    state: State
    error: str | None
    attempts: int
    parked_at: datetime
    due_at: datetime | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    edited: str | None
    """JSON in the place of the event's data."""

    @property
    def name(self) -> str:
        """What an operator calls it: ``system.subscription/context@position``, or where a strange record came from."""
        place = self.origin if self.position is None else f"{self.context.context}@{self.position}"
        return f"{self.subscription}/{place}"

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "DeadLetter":
        fields = {name: record[name] for name in cls.__slots__ if name not in ("context", "headers")}
        headers = tuple(zip(record["header_names"], record["header_values"], strict=True))
        return cls(context=ContextName.parse(record["source"]), headers=headers, **fields)

    def row(self) -> StoredEvent:
        """The event, with the data that an operator has put in place of its own; raises `Malformed` where it is none."""
        row = decode_event(
            SimpleNamespace(
                topic=self.origin, partition=self.partition, offset=0, key=self.key, value=self.value, headers=self.headers
            )
        )
        return row if self.edited is None else row._replace(data=self.edited)


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that is to be parked."""

    context: ContextName
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    origin: str
    row: StoredEvent | None
    error: Exception | None
    """``None`` for one that only waits behind another of its stream."""

    @classmethod
    def event(cls, context: ContextName, row: StoredEvent, error: Exception | None) -> "Parked":
        """An event of a log."""
        record = encode_event(row, context)
        return cls(context, row.partition, record.key, record.value, record.headers, f"log@{row.position}", row, error)

    @classmethod
    def foreign(cls, context: ContextName, record: Any, error: Exception) -> "Parked":
        """A record of a topic that is no event of the log's."""
        origin = f"{record.topic}/{record.partition}@{record.offset}"
        return cls(context, record.partition, record.key, record.value, tuple(record.headers), origin, None, error)

    @property
    def state(self) -> State:
        if self.error is None:
            return "waiting"
        return "parked" if self.row is None else "retrying"


class DeadLetters:
    """The dead letters of one subscription in one schema."""

    def __init__(self, databases: Databases, dsn: str, schema: str, subscription: str, attempts: int, most: int) -> None:
        """``attempts`` is how often an event is tried before it waits for an operator, ``most`` how many may be open."""
        self._databases, self._dsn, self._schema, self._subscription = databases, dsn, schema, subscription
        self._attempts, self._most = attempts, most

    async def blocked(self, connection: Connection, context: ContextName, streams: set[str]) -> set[str]:
        """Those of the streams that have an open dead letter: what comes next of them waits behind it."""
        sql = statement("dead_letters_blocked", self._schema)
        return {row[0] for row in await connection.fetch(sql, self._subscription, str(context), list(streams))}

    async def park(self, connection: Connection, dead_letters: Sequence[Parked]) -> None:
        """Keeps records; one that is kept already stays as it is. Raises `DeadLettersFull` where no more events may be."""
        events = sum([dead_letter.row is not None for dead_letter in dead_letters])
        if events and (there := await self.count(connection)) + events > self._most:
            raise DeadLettersFull(f"{self._subscription} has {there} dead letters: mend or skip them first")
        sql = statement("dead_letters_park", self._schema)
        for dead_letter in dead_letters:
            row = dead_letter.row
            await connection.execute(
                sql,
                self._subscription,
                str(dead_letter.context),
                dead_letter.partition,
                dead_letter.origin,
                *((None, None, None) if row is None else (row.position, row.stream, row.type)),
                dead_letter.state,
                None if dead_letter.error is None else told(dead_letter.error),
                0 if dead_letter.error is None else 1,
                FIRST_PAUSE_SECONDS,
                dead_letter.key,
                dead_letter.value,
                [name for name, _ in dead_letter.headers],
                [value for _, value in dead_letter.headers],
            )
        PARKED.labels(self._subscription).inc(events)

    async def count(self, connection: Connection) -> int:
        """How many are open."""
        return int(await connection.fetchval(statement("dead_letters_count", self._schema), self._subscription))

    async def due(self) -> Sequence[tuple[ContextName, int, str]]:
        """Streams whose first dead letter is to be tried again: context, partition, stream."""
        async with self._databases.connection(self._dsn) as connection:
            rows = await connection.fetch(statement("dead_letters_due", self._schema), self._subscription)
        return [(ContextName.parse(source), partition, stream) for source, partition, stream in rows]

    async def of_stream(self, connection: Connection, context: ContextName, stream: str) -> Sequence[DeadLetter]:
        """The open dead letters of a stream, in order, locked until the transaction's end."""
        sql = statement("dead_letters_of_stream", self._schema)
        return [DeadLetter.of(row) for row in await connection.fetch(sql, self._subscription, str(context), stream)]

    async def settle(self, connection: Connection, dead_letter: DeadLetter) -> None:
        """Notes that it was dealt with after all."""
        await connection.execute(statement("dead_letter_settle", self._schema), dead_letter.id)

    async def failed(self, connection: Connection, dead_letter: DeadLetter, error: Exception) -> None:
        """Notes that it failed again: it is tried once more after twice the pause, or waits for an operator."""
        again = dead_letter.attempts + 1 < self._attempts
        pause = FIRST_PAUSE_SECONDS * 2**dead_letter.attempts
        await connection.execute(statement("dead_letter_failed", self._schema), dead_letter.id, told(error), again, pause)

    async def decided(self, connection: Connection, *, open_too: bool) -> Decided:
        """What a fresh fold of the logs takes in another form or leaves out; with ``open_too`` what is still parked, too."""
        rows = await connection.fetch(statement("dead_letters_decided", self._schema), self._subscription, open_too)
        return {(ContextName.parse(row["source"]), row["position"]): row["edited"] for row in rows}

    async def unpublished(self, connection: Connection) -> Sequence[DeadLetter]:
        """Some that are not on their topic yet, locked until the transaction's end."""
        sql = statement("dead_letters_unpublished", self._schema)
        return [DeadLetter.of(row) for row in await connection.fetch(sql, self._subscription)]

    async def published(self, connection: Connection, dead_letters: Sequence[DeadLetter]) -> None:
        """Notes that they are on their topic."""
        await connection.execute(
            statement("dead_letters_published", self._schema), [dead_letter.id for dead_letter in dead_letters]
        )

    async def all(self, *, decided: bool = False) -> Sequence[DeadLetter]:
        """The open ones, in the order of their streams; with ``decided`` those too that were skipped or mended."""
        async with self._databases.connection(self._dsn) as connection:
            rows = await connection.fetch(statement("dead_letters", self._schema), self._subscription, decided)
        return [DeadLetter.of(row) for row in rows]

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> int:
        """Lets those be tried at once that are the first of their streams, the others follow; returns how many streams."""
        async with self._databases.connection(self._dsn) as connection:
            sql = statement("dead_letters_redrive", self._schema)
            return len(await connection.fetch(sql, [dead_letter.id for dead_letter in dead_letters]))

    async def skip(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Leaves events out for good; what waited behind them is tried at once."""
        async with self._databases.transaction(self._dsn) as connection:
            for dead_letter in dead_letters:
                await connection.execute(statement("dead_letter_skip", self._schema), dead_letter.id)
            for context, stream in {
                (dead_letter.context, dead_letter.stream) for dead_letter in dead_letters if dead_letter.stream is not None
            }:
                sql = statement("dead_letters_next", self._schema)
                await connection.execute(sql, self._subscription, str(context), stream)

    async def edit(self, dead_letter: DeadLetter, data: str) -> None:
        """Puts other data in the place of an event's own, for this subscription alone: the log stays as it is."""
        async with self._databases.connection(self._dsn) as connection:
            await connection.execute(statement("dead_letter_edit", self._schema), dead_letter.id, data)


def as_decided(decided: Decided, context: ContextName, row: StoredEvent) -> StoredEvent | None:
    """An event as it counts for a fold: ``None`` where it is left out."""
    if (context, row.position) not in decided:
        return row
    edited = decided[context, row.position]
    return None if edited is None else row._replace(data=edited)


def told(error: Exception) -> str:
    """An error in a line for whoever has to mend it."""
    text = error.detail if isinstance(error, CaudalError) else f"{type(error).__name__}: {error}"
    return text.replace("\x00", "")[:2000]
