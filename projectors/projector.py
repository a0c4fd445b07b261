"""The projector: applies a batch of events to a view, rows and position in one transaction."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter

from projectors.parking import Parking, Placed
from projectors.projection import Projection
from projectors.view_writer import ViewWriter
from schemas.catalog import Catalog, ContextName
from schemas.envelope import RecordedEvent
from schemas.errors import Conflict, Unavailable
from schemas.view import View
from streams.database.errors import blames_values
from streams.database.pools import Connection, Databases
from streams.database.store import views_schema
from streams.database.view_tables import table_of
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent, decode
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoint, Move
from streams.subscriptions.dead_letters import DeadLetter, Decided, Parked, as_decided, told
from streams.subscriptions.gap_filling import continuation, is_next
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch
from streams.telemetry.tracing import note_events

_log = structlog.get_logger()
_MAX_RACES = 20

APPLIED = Counter("caudal_projection_events", "Events applied.", ["projection"])


@dataclass(frozen=True, slots=True)
class Beside:
    """A version of a view beside the live one."""

    table: str
    mark: str
    """What is added to the subscription's name."""
    decided: Decided
    """What operators have decided of the live view's dead letters."""


class Projector:
    """Keeps one view up to date: a subscriber whose effects are exactly once.

    The checkpoint of (projection, context, partition) is locked first, so that whatever the consumer does, of two workers
    on one partition the second finds the first one's position, and skips. An event that cannot be applied is parked in the
    same transaction, and what follows it in its stream behind it.
    """

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        system: str,
        projection: Projection[Any],
        databases: Databases,
        logs: Mapping[ContextName, ReadableLog],
        beside: Beside | None = None,
    ) -> None:
        """With ``beside`` it fills another table than the live one, and stands for itself."""
        view: type[View] = projection.view
        home = ContextName(system, view.view_context)
        self.name = f"{system}.{projection.name}{'' if beside is None else beside.mark}"
        self._decided = {} if beside is None else beside.decided
        self.contexts = frozenset(catalog.context_of(event) for event in projection.folds)
        self.store = SubscriptionStore.at(
            settings, databases, settings.view_dsn(home), views_schema(home), self.name, self.contexts
        )
        self._catalog, self._logs = catalog, logs
        self._types = {(catalog.context_of(event), event.message_name) for event in projection.folds}
        self._writer = ViewWriter(projection, table_of(home, view, None if beside is None else beside.table))
        self._stood: dict[tuple[ContextName, int], Checkpoint] = {}
        """Where the view stood when this process last moved it: a guess, which the database confirms or rejects.

        Nothing was open of the partition's context then: whoever parks one of its events moves the checkpoint as well.
        """

    @property
    def stores(self) -> Sequence[SubscriptionStore]:
        """Where it keeps its checkpoints: in one place, whatever contexts it follows."""
        return (self.store,)

    async def position(self, context: ContextName, partition: int) -> int:
        """Where the view stands in a partition of a context."""
        return (await self.store.checkpoints.read(context, partition)).position

    async def take(self, batches: Sequence[Batch]) -> None:
        """Applies what the view has not seen of these batches. Raises `Unavailable` while a database is out of reach.

        Raises `Conflict` where another worker put rows there again and again that were missing a moment before, and
        `DeadLettersFull` where no more events may be parked.
        """
        if await self._commit(batches):
            return
        races = 0
        whole = False
        while not whole:
            try:
                whole = await self._take(batches)
            except Conflict:
                races += 1
                if races == _MAX_RACES:
                    raise
                await asyncio.sleep(0.005 * races)

    async def retry(self) -> None:
        """Tries the dead letters again that are due, those of one stream in order until one fails."""
        for context, partition, stream in await self.store.dead_letters.due():
            async with self.store.transaction() as connection:
                await self.store.checkpoints.lock(connection, [(context, partition)])
                for dead_letter in await self.store.dead_letters.of_stream(connection, context, stream):
                    if not await self._applied(connection, dead_letter):
                        break

    def forget(self, context: ContextName, partition: int) -> None:
        """Forgets where the view stood."""
        self._stood.pop((context, partition), None)

    async def _commit(self, batches: Sequence[Batch]) -> bool:
        """Applies batches that go on from where this process left the view, if nobody else has touched it meanwhile.

        The usual case, without locks and in few round trips. Whatever is unusual about batches or view makes no difference to
        either, and is left to the thorough way.
        """
        began = time.time_ns()
        moves = []
        for batch in batches:
            context, partition, rows = batch.context, batch.partition, batch.rows
            stood = self._stood.pop((context, partition), None)
            if stood is None or not is_next(stood.position, rows):
                return False
            moves.append(Move(context, partition, stood, rows[-1].position))
        placed = [one for batch in batches for one in self._wanted(batch.context, batch.rows, self._decided)]
        try:
            events = self._decoded(placed)
            async with self.store.connection() as connection:
                await self._writer.commit(connection, self.store.subscription, moves, events)
        except Unavailable:
            raise
        except Exception as error:
            _log.debug("applying with locks", projection=self.name, why=told(error))
            return False
        self._note_moves(moves)
        self._note(placed, [], began)
        return True

    async def _take(self, batches: Sequence[Batch]) -> bool:
        """Applies what is next; whether that was all."""
        try:
            return await self._apply_next(batches, parking=False)
        except (Unavailable, Conflict):
            raise
        except Exception as error:
            _log.warning("looking for the event that cannot be applied", projection=self.name, why=told(error))
        return await self._apply_next(batches, parking=True)

    async def _apply_next(self, batches: Sequence[Batch], *, parking: bool) -> bool:
        whole, began = True, time.time_ns()
        async with self.store.transaction() as connection:
            stands = await self.store.checkpoints.lock(connection, [(batch.context, batch.partition) for batch in batches])
            hindrances = await self.store.checkpoints.hindrances(connection, stands)
            if hindrances.is_paused:
                return True
            decided = self._decided
            if hindrances.with_dead_letters:
                decided = {**decided, **await self.store.dead_letters.decided(connection, open_too=False)}
            placed: list[Placed] = []
            moves: list[Move] = []
            for batch in batches:
                context, partition = batch.context, batch.partition
                stand = stands[context, partition]
                found = await continuation(self.name, stand.position, batch.rows, self._logs[context], partition)
                whole = whole and found.is_whole
                if found.rows:
                    moves.append(Move(context, partition, stand, found.rows[-1].position))
                    placed += self._wanted(context, found.rows, decided)
            parked: list[Parked] = []
            if parking or hindrances.with_dead_letters:
                parked = await self._apply_or_park(connection, placed, hindrances.with_dead_letters)
            elif placed:
                await self._apply(connection, placed)
            if moves:
                await self.store.checkpoints.move(connection, moves)
        if not parked and not hindrances.with_dead_letters:
            self._note_moves(moves)
        self._note(placed, parked, began)
        return whole

    def _note_moves(self, moves: Sequence[Move]) -> None:
        self._stood.update({(move.context, move.partition): Checkpoint(move.after, move.before.generation) for move in moves})

    def _note(self, placed: Sequence[Placed], parked: Sequence[Parked], began_ns: int) -> None:
        """Counts and traces what was committed."""
        APPLIED.labels(self.name).inc(len(placed) - len(parked))
        aside = {(dead_letter.context, dead_letter.row.position) for dead_letter in parked if dead_letter.row is not None}
        applied = [row for context, row in placed if (context, row.position) not in aside]
        note_events(f"apply {self.name}", applied, began_ns, "process")
        note_events(
            f"park {self.name}", [row for dead_letter in parked if (row := dead_letter.row)], began_ns, "process", "parked"
        )

    def _wanted(self, context: ContextName, rows: Sequence[StoredEvent], decided: Decided) -> list[Placed]:
        """The events that the view is made from, as far as operators have not decided otherwise."""
        wanted = [(context, row) for row in rows if (context, row.type) in self._types]
        if not decided:
            return wanted
        return [(context, found) for _, row in wanted if (found := as_decided(decided, context, row)) is not None]

    async def _apply(self, connection: Connection, placed: Sequence[Placed]) -> None:
        await self._writer.apply(connection, self._decoded(placed))

    def _decoded(self, placed: Sequence[Placed]) -> list[RecordedEvent[Any]]:
        return [decode(row, context, self._catalog) for context, row in placed]

    async def _apply_or_park(
        self, connection: Connection, placed: Sequence[Placed], with_dead_letters: Collection[ContextName]
    ) -> list[Parked]:
        """Applies what can be and parks what cannot; returns what was parked."""
        blocked: set[tuple[ContextName, str]] = set()
        for context in with_dead_letters:
            streams = {row.stream for its, row in placed if its == context}
            blocked |= {(context, stream) for stream in await self.store.dead_letters.blocked(connection, context, streams)}
        parking = Parking(connection, self._apply, blocked)
        await parking.take(placed)
        if parking.parked:
            await self.store.dead_letters.park(connection, parking.parked)
        return parking.parked

    async def _applied(self, connection: Connection, dead_letter: DeadLetter) -> bool:
        try:
            async with connection.transaction():
                await self._apply(connection, [(dead_letter.context, dead_letter.row())])
        except Exception as error:
            if not blames_values(error):
                raise
            await self.store.dead_letters.failed(connection, dead_letter, error)
            return False
        await self.store.dead_letters.settle(connection, dead_letter)
        return True
