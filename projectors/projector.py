"""Projector: applies batches of events to a view, rows and checkpoints in one transaction.

Two ways to apply a batch. The first is tried first, the second if the first cannot be used or fails::

    _commit        this process knows the checkpoint, nothing is unusual        one statement, no locks beforehand
                        │  another worker, a gap, a pause, a dead letter, any error
                        ▼
    _handle_next   lock checkpoints ─▶ blockers, resolutions ─▶ next events ─▶ apply ─▶ move checkpoints ─▶ commit
                        │  an event fails
                        ▼
                   the same again, with failure isolation: park what fails, apply the rest
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

from projectors.projection import Projection
from projectors.view_writer import ViewWriter
from schemas.envelope import RecordedEvent
from schemas.errors import Conflict, Raced, Unavailable
from schemas.system import ContextName
from streams.database.errors import blames_values
from streams.database.pools import Connection
from streams.installation import Installation
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent, decode
from streams.subscriptions.checkpoints import Checkpoint, Move
from streams.subscriptions.dead_letters import Parked, Resolutions, resolved
from streams.subscriptions.failure_isolation import FailureIsolation
from streams.subscriptions.faults import describe
from streams.subscriptions.gap_filling import is_next, next_events
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch, LogEvent
from streams.telemetry.tracing import note_events

_log = structlog.get_logger()
_MAX_RACES = 20

APPLIED = Counter("caudal_projection_events", "Events applied.", ["projection"])
DELAY = Histogram(
    "caudal_projection_delay_seconds",
    "From the recording of the oldest event of a batch until a live view has the batch.",
    ["projection"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)


@dataclass(frozen=True, slots=True)
class CandidateVersion:
    """A version of a view that is being built beside the live one."""

    table: str
    resolutions: Resolutions
    """How operators have resolved the live view's dead letters."""

    @property
    def suffix(self) -> str:
        """The suffix of the subscription's name."""
        return f"#{self.table}"


class Projector:
    """Keeps one view up to date: a subscriber whose effects are exactly once.

    The checkpoints are locked, or compared while they are moved. So of two workers on one partition the second one finds the
    position of the first, and skips what the first has applied, independently of the consumer group.
    """

    def __init__(
        self,
        installation: Installation,
        projection: Projection[Any],
        logs: Mapping[ContextName, ReadableLog],
        candidate: CandidateVersion | None = None,
    ) -> None:
        """With a ``candidate`` it fills that version's table, with checkpoints and dead letters of its own."""
        catalog = self._catalog = installation.catalog
        self.name = f"{projection.full_name}{'' if candidate is None else candidate.suffix}"
        self._is_live = candidate is None
        self._resolutions = {} if candidate is None else candidate.resolutions
        self._types = catalog.event_types(projection.events)
        self.contexts = frozenset(context for context, _ in self._types)
        self.events = catalog.event_versions(projection.events)
        views = installation.view_store(projection.home)
        self.store = SubscriptionStore.at(installation.settings, views, self.name, self.contexts)
        self._logs = logs
        self._writer = ViewWriter(projection, projection.table(None if candidate is None else candidate.table))
        self._isolation = FailureIsolation(self.store, self._apply_in_savepoint, is_fault_of_event=blames_values)
        self._checkpoints: dict[tuple[ContextName, int], Checkpoint] = {}
        """The positions at which this process left partitions: a guess, which the database confirms or rejects.

        The partition's context had no open dead letters then: parking an event moves the checkpoint, too.
        """

    @property
    def stores(self) -> Sequence[SubscriptionStore]:
        """Its one store, for all contexts that it follows."""
        return (self.store,)

    async def position(self, context: ContextName, partition: int) -> int:
        """Returns the view's position in a partition."""
        return (await self.store.checkpoints.read(context, partition)).position

    async def handle(self, batches: Sequence[Batch]) -> None:
        """Applies the events of these batches that the view does not contain; nothing if an operator has paused it.

        Raises `Unavailable` during outages, `Conflict` if other workers insert the same rows in 20 attempts in a row, and
        `DeadLettersFull` if no more events may be parked.
        """
        if await self._commit(batches):
            return
        races = 0
        is_complete = False
        while not is_complete:
            try:
                is_complete = await self._handle_next_or_park(batches)
            except Conflict:
                races += 1
                if races == _MAX_RACES:
                    raise
                await asyncio.sleep(0.005 * races)

    async def wait_for_room(self) -> None:
        """Returns at once: a batch is applied when `handle` returns."""

    async def retry(self) -> None:
        """Tries the dead letters again that are due, those of one stream in order until one fails."""
        await self._isolation.retry()

    async def park(self, context: ContextName, event: StoredEvent, error: Exception) -> None:
        """Parks an event that is not applied yet."""
        await self._isolation.park(LogEvent(context, event), error)
        self._checkpoints.clear()  # they say that there are no dead letters

    def invalidate(self, context: ContextName, partition: int) -> None:
        """Drops the remembered checkpoint of a partition."""
        self._checkpoints.pop((context, partition), None)

    async def _commit(self, batches: Sequence[Batch]) -> bool:
        """Applies batches that follow the remembered checkpoints, in few round trips; returns whether that was possible.

        If anything is unusual, nothing has changed, and the batches are left to the other way.
        """
        began = time.time_ns()
        moves = []
        for context, partition, events in ((batch.context, batch.partition, batch.events) for batch in batches):
            checkpoint = self._checkpoints.pop((context, partition), None)
            if checkpoint is None or not is_next(checkpoint.position, events):
                return False
            moves.append(Move(context, partition, checkpoint, events[-1].position))
        found = [one for batch in batches for one in self._relevant(batch.context, batch.events, self._resolutions)]
        try:
            decoded = self._decoded(found)
            async with self.store.connection() as connection:
                await self._writer.commit(connection, self.store.subscription, moves, decoded)
        except Exception as error:
            if isinstance(error, Unavailable) and not isinstance(error, Raced):
                raise
            _log.debug("commit without locks failed", projection=self.name, why=describe(error))
            return False
        self._remember(moves)
        self._report(found, [], began)
        return True

    async def _handle_next_or_park(self, batches: Sequence[Batch]) -> bool:
        """Applies the next events; returns whether these were all."""
        try:
            return await self._handle_next(batches, isolate=False)
        except (Unavailable, Conflict):
            raise
        except Exception as error:
            _log.warning("batch failed", projection=self.name, why=describe(error))
        return await self._handle_next(batches, isolate=True)

    async def _handle_next(self, batches: Sequence[Batch], *, isolate: bool) -> bool:
        is_complete, began = True, time.time_ns()
        async with self.store.transaction() as connection:
            locked = await self.store.checkpoints.lock(connection, [(batch.context, batch.partition) for batch in batches])
            blockers = await self.store.checkpoints.blockers(connection, locked)
            if blockers.is_paused:
                return True
            resolutions = self._resolutions
            if blockers.with_dead_letters:
                resolutions = {**resolutions, **await self.store.dead_letters.resolutions(connection, with_open=False)}
            found: list[LogEvent] = []
            moves: list[Move] = []
            for batch in batches:
                context, partition = batch.context, batch.partition
                checkpoint = locked[context, partition]
                following = await next_events(self.name, checkpoint.position, batch.events, self._logs[context], partition)
                is_complete = is_complete and following.is_complete
                if following.events:
                    moves.append(Move(context, partition, checkpoint, following.events[-1].position))
                    found += self._relevant(context, following.events, resolutions)
            parked: list[Parked] = []
            if isolate or blockers.with_dead_letters:
                parked = (await self._isolation.handle(connection, found, blockers.with_dead_letters)).parked
            elif found:
                await self._apply(connection, found)
            if moves:
                await self.store.checkpoints.move(connection, moves)
        if not parked and not blockers.with_dead_letters:
            self._remember(moves)
        self._report(found, parked, began)
        return is_complete

    def _remember(self, moves: Sequence[Move]) -> None:
        moved = {(move.context, move.partition): Checkpoint(move.after, move.before.generation) for move in moves}
        self._checkpoints.update(moved)

    def _report(self, events: Sequence[LogEvent], parked: Sequence[Parked], began_ns: int) -> None:
        """Counts and traces what was committed."""
        APPLIED.labels(self.name).inc(len(events) - len(parked))
        aside = {(one.context, one.event.position) for one in parked if one.event is not None}
        applied = [event for context, event in events if (context, event.position) not in aside]
        if applied and self._is_live:
            delay = datetime.now(UTC) - min(event.recorded_at for event in applied)
            DELAY.labels(self.name).observe(max(0.0, delay.total_seconds()))
        note_events(f"apply {self.name}", applied, began_ns, "process")
        note_events(f"park {self.name}", [one.event for one in parked if one.event], began_ns, "process", "parked")

    def _relevant(self, context: ContextName, events: Sequence[StoredEvent], resolutions: Resolutions) -> list[LogEvent]:
        """Returns the events that the projection lists, as operators have resolved them."""
        found = [event for event in events if (context, event.type) in self._types]
        return [LogEvent(context, event) for event in resolved(resolutions, context, found)]

    async def _apply_in_savepoint(self, connection: Connection, events: Sequence[LogEvent]) -> None:
        async with connection.transaction():
            await self._apply(connection, events)

    async def _apply(self, connection: Connection, events: Sequence[LogEvent]) -> None:
        await self._writer.apply(connection, self._decoded(events))

    def _decoded(self, events: Sequence[LogEvent]) -> list[RecordedEvent[Any]]:
        return [decode(event, context, self._catalog) for context, event in events]
