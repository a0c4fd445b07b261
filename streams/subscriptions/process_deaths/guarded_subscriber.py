"""A subscriber whose events may end the process: recursion in C, too little memory, a call of ``os._exit``.

No exception shows such an event, so attempts are noted before they begin. A note for each batch would slow everything down, so
a process notes its batches only in its first seconds with a partition::

    a batch ──▶ noted ──▶ handled ──▶ note cleared; after ten seconds nothing is noted any more
                  │ the process dies; if it noted nothing any more, the next one dies of the same events in its first seconds
                  ▼ the next process finds the note
    one event at a time, each noted before ──▶ …
                  │ the process dies
                  ▼ the next process finds the note of this event, at its third try
    parked; the others one at a time, up to the last one of the batch

Batches that are noted are handled one after another, so that a process that dies of one leaves no note for another.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from schemas.errors import CaudalError
from schemas.system import ContextName
from streams.log.reading import ReadableLog, partition_events
from streams.log.stored_events import StoredEvent
from streams.subscriptions.faults import ProcessDied
from streams.subscriptions.process_deaths.attempts import Attempt, Attempts
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch, Subscriber

_log = structlog.get_logger()
_MAX_ATTEMPTS = 3
_CAREFUL_SECONDS = 10.0
_MAX_SUSPECTS = 6000
"""The number of events behind a checkpoint that can have been in hand when a process died: some more than are read at once."""
_CLEAR_SECONDS = 1.0


class GuardedSubscriber:
    """Hands batches to a subscriber, and parks an event at the third try if two processes have died of it."""

    def __init__(self, subscriber: Subscriber, logs: Mapping[ContextName, ReadableLog], turn: asyncio.Lock) -> None:
        """``turn`` is one lock for all subscribers of the process: it is held while a batch that is noted is handled."""
        self._subscriber, self._logs, self._turn = subscriber, logs, turn
        self.name, self.contexts = subscriber.name, subscriber.contexts
        self._attempts = {
            context: Attempts(store.store, store.subscription) for store in subscriber.stores for context in store.contexts
        }
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
        proven = [batch for batch in batches if (batch.context, batch.partition) in self._proven]
        for batch in batches if len(proven) < len(batches) else ():
            if (batch.context, batch.partition) not in self._proven:
                async with self._turn:
                    await self._handle_carefully(batch)
        if proven:
            await self._subscriber.handle(proven)

    async def retry(self) -> None:
        """Makes the subscriber try its dead letters again."""
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

    async def _handle_carefully(self, batch: Batch) -> None:
        """Handles a batch of a partition, of whose events processes may have died before."""
        context, partition, up_to = batch.context, batch.partition, batch.events[-1].position
        where = (context, partition)
        if where not in self._before:
            self._before[where] = await self._attempts[context].newest(context, partition)
        position = await self._subscriber.position(context, partition)
        if up_to <= position:
            return
        careful_until = self._careful_until.setdefault(where, time.monotonic() + _CAREFUL_SECONDS)
        try:
            await self._handle_noted(batch, position)
        except (Exception, asyncio.CancelledError):  # not what ends the process
            await self._note_survival(where)
            raise
        await self._note_survival(where)
        if self._before[where] is None and time.monotonic() >= careful_until:
            self._proven.add(where)

    async def _handle_noted(self, batch: Batch, position: int) -> None:
        context, partition, up_to = batch.context, batch.partition, batch.events[-1].position
        before = self._before[context, partition]
        if before is not None and before.up_to > position:
            await self._handle_one_by_one(batch, position, before)
            if before.up_to > up_to:
                return
        self._before[context, partition] = None
        if before is not None and before.up_to == up_to:
            return
        await self._attempts[context].note(context, partition, Attempt(position + 1, up_to, 1))
        await self._subscriber.handle([batch])

    async def _handle_one_by_one(self, batch: Batch, position: int, before: Attempt) -> None:
        """Handles the events that were in hand when a process died, and parks the one that is to blame."""
        context, partition, left = batch.context, batch.partition, _MAX_SUSPECTS
        _log.warning("events handled one by one", subscription=self.name, context=str(context), **before._asdict())
        up_to = min(before.up_to, batch.events[-1].position)
        async for events in partition_events(self._logs[context], partition, position, up_to):
            for event in events[:left]:
                # Each event behind the noted one was in the batch that was tried before.
                times = 1 + (before.times if event.position == before.first else 1)
                await self._attempts[context].note(context, partition, Attempt(event.position, before.up_to, times))
                if times >= _MAX_ATTEMPTS:
                    error = ProcessDied("the process ended two or three times while handling it")
                    await self._subscriber.park(context, event, error)
                await self._subscriber.handle([Batch(context, partition, [event])])
            left -= len(events)
            if left <= 0:
                return

    async def _note_survival(self, where: tuple[ContextName, int]) -> None:
        """Sets the note back to what it was before this process began, or clears it."""
        context, before = where[0], self._before[where]
        with suppress(CaudalError, TimeoutError):
            async with asyncio.timeout(_CLEAR_SECONDS):
                await (
                    self._attempts[context].clear(*where) if before is None else self._attempts[context].note(*where, before)
                )
