"""A subscriber whose events may end the process: recursion in C, too little memory, ``os._exit`` (ADR 0009).

No exception shows such an event, so attempts are noted before they begin. A note for each batch would slow everything down, so
a process notes its batches only in its first seconds with a partition. A note at or below the checkpoint says nothing::

    a batch ──▶ noted ──▶ handled ──▶ the next one …; after ten seconds the note is cleared and nothing is noted any more
                  │ the process dies; if it noted nothing any more, the next one dies of the same events in its first seconds
                  ▼ the next process finds the note
    one event at a time, each noted before ──▶ …
                  │ the process dies
                  ▼ the next process tries the event alone once more; the one after finds that two have died of it alone
    parked; the others one at a time, up to the last one of the batch

Only deaths of an event that was handled alone are counted: a batch blames none of its events. So an event costs at most four
deaths: one that nothing noted, one of the batch, and two alone. While an event is handled alone, the process has no batch, dead
letter, command or timer in flight, so that a death of these does not blame the event. They continue between two single events.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from schemas.errors import CaudalError
from schemas.system import ContextName
from streams.log.reading import ReadableLog, partition_events
from streams.log.stored_events import StoredEvent
from streams.subscriptions.faults import ProcessDied
from streams.subscriptions.process_deaths.attempts import (
    CAREFUL_SECONDS,
    CLEAR_SECONDS,
    DIED_ALONE,
    MAX_IN_FLIGHT,
    Attempt,
    Attempts,
)
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch, Subscriber

_log = structlog.get_logger()


class GuardedSubscriber:
    """Hands batches to a subscriber, and parks an event if two processes have died while they handled it alone."""

    def __init__(
        self,
        subscriber: Subscriber,
        logs: Mapping[ContextName, ReadableLog],
        turns: Turns,
        served: Collection[ContextName] | None = None,
    ) -> None:
        """``turns`` are those of everything that the process handles; it serves some contexts, or all."""
        self._subscriber, self._logs, self._turns = subscriber, logs, turns
        self._careful = asyncio.Lock()
        """Held while batches are noted or handled one by one: each call finds the positions that the one before left."""
        self.name = subscriber.name
        self.contexts = subscriber.contexts if served is None else subscriber.contexts & frozenset(served)
        self._attempts = [(store.contexts, Attempts(store.store, store.subscription)) for store in subscriber.stores]
        self._before: dict[tuple[ContextName, int], Attempt | None] = {}
        """The attempts that the processes before this one left."""
        self._careful_until: dict[tuple[ContextName, int], float] = {}
        self._proven: set[tuple[ContextName, int]] = set()
        """Partitions of which this process has handled batches for some seconds and is still alive."""

    @property
    def events(self) -> Mapping[ContextName, frozenset[str]]:
        """The events that the subscriber follows."""
        return self._subscriber.events

    @property
    def stores(self) -> Sequence[SubscriptionStore]:
        """The stores of the subscriber."""
        return self._subscriber.stores

    async def position(self, context: ContextName, partition: int) -> int:
        """Returns the position of the subscriber."""
        return await self._subscriber.position(context, partition)

    async def handle(self, batches: Sequence[Batch]) -> None:
        """Hands batches to the subscriber. Raises what it raises, and `Unavailable` if an attempt cannot be noted."""
        await self.wait_for_room()
        proven = [batch for batch in batches if batch.where in self._proven]
        careful = [batch for batch in batches if batch.where not in self._proven]
        if careful:
            async with self._careful:
                await self._handle_carefully([batch for batch in careful if not await self._is_handled_one_by_one(batch)])
        if proven:
            async with self._turns.together():
                await self._subscriber.handle(proven)

    async def wait_for_room(self) -> None:
        """Waits for the subscriber outside of every turn: the work that makes room takes turns too."""
        await self._subscriber.wait_for_room()

    async def retry(self) -> None:
        """Makes the subscriber try its dead letters again."""
        async with self._turns.together():
            await self._subscriber.retry()

    async def park(self, context: ContextName, event: StoredEvent, error: Exception) -> None:
        """Makes the subscriber park an event."""
        await self._subscriber.park(context, event, error)

    def invalidate(self, context: ContextName, partition: int) -> None:
        """Drops what this process remembers of a partition: another process may have died of it meanwhile."""
        self._before.pop((context, partition), None)
        self._careful_until.pop((context, partition), None)
        self._proven.discard((context, partition))
        self._subscriber.invalidate(context, partition)

    async def _handle_carefully(self, batches: Sequence[Batch]) -> None:
        """Notes batches and hands them to the subscriber, all at once."""
        if not batches:
            return
        now = time.monotonic()
        is_over = [batch for batch in batches if now >= self._careful_until.setdefault(batch.where, now + CAREFUL_SECONDS)]
        new = [batch for batch in is_over if await self._subscriber.position(*batch.where) < batch.events[-1].position]
        notes = {batch.where: Attempt(batch.events[0].position, batch.events[-1].position, 0) for batch in batches}
        async with self._turns.noted(), self._surviving(notes):
            await self._note(notes)
            await self._subscriber.handle(batches)
        if new:
            await self._clear([batch.where for batch in new])
            self._proven |= {batch.where for batch in new}

    async def _is_handled_one_by_one(self, batch: Batch) -> bool:
        """Handles those events of a batch one by one that were in flight at a death; returns whether more are to come."""
        where, up_to = batch.where, batch.events[-1].position
        if where not in self._before:
            self._before[where] = await self._newest(where)
        if (before := self._before[where]) is None:
            return False
        position = await self._subscriber.position(*where)
        if before.up_to > position:
            await self._handle_one_by_one(batch, position, before)
            if before.up_to > up_to:
                return True
        self._before[where] = None
        await self._clear([where])
        return False

    async def _handle_one_by_one(self, batch: Batch, position: int, before: Attempt) -> None:
        """Hands over single events, and parks the one that is to blame."""
        context, partition, left = batch.context, batch.partition, MAX_IN_FLIGHT
        _log.warning("events handled one by one", subscription=self.name, context=str(context), **before._asdict())
        up_to = min(before.up_to, batch.events[-1].position)
        async for events in partition_events(self._logs[context], partition, position, up_to):
            for event in events[:left]:
                async with self._turns.alone(), self._surviving([batch.where]):
                    await self._handle_alone(Batch(context, partition, [event]), before)
            left -= len(events)
            if left <= 0:
                return

    async def _handle_alone(self, batch: Batch, before: Attempt) -> None:
        """Notes a batch of one event and hands it over; parks the event first if processes have died of it."""
        (event,) = batch.events
        attempt = before.alone(event.position)
        await self._note({batch.where: attempt})
        if attempt.is_given_up:
            error = ProcessDied(DIED_ALONE)
            await self._subscriber.park(batch.context, event, error)
        await self._subscriber.handle([batch])

    @asynccontextmanager
    async def _surviving(self, partitions: Iterable[tuple[ContextName, int]]) -> AsyncIterator[None]:
        """Sets the notes of partitions back to those of earlier processes if a block raises what does not end this one."""
        try:
            yield
        except (Exception, asyncio.CancelledError):
            with suppress(CaudalError, TimeoutError):
                async with asyncio.timeout(CLEAR_SECONDS):
                    before = {where: self._before.get(where) for where in partitions}
                    await self._clear([where for where, noted in before.items() if noted is None])
                    await self._note({where: noted for where, noted in before.items() if noted is not None})
            raise

    async def _newest(self, where: tuple[ContextName, int]) -> Attempt | None:
        return await next(attempts for contexts, attempts in self._attempts if where[0] in contexts).newest(*where)

    async def _note(self, notes: Mapping[tuple[ContextName, int], Attempt]) -> None:
        for contexts, attempts in self._attempts:
            if own := {where: attempt for where, attempt in notes.items() if where[0] in contexts}:
                await attempts.note(own)

    async def _clear(self, partitions: Iterable[tuple[ContextName, int]]) -> None:
        for contexts, attempts in self._attempts:
            if own := [where for where in partitions if where[0] in contexts]:
                await attempts.clear(own)
