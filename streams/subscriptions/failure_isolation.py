"""Failure isolation: handles what can be handled, parks each event that fails, and each event that must wait behind it.

The same for projections and policies; only what it means to apply events differs. A projection applies many events at once, so
the failing one is found by halving::

    1000 events ─▶ fail ─▶ 500 ok, 500 fail ─▶ 250 ok, 250 fail ─▶ … ─▶ 1 fails: parked; the later events of its stream too

A policy applies events one by one (``max_events=1``), so that each reaction runs once.

Events are applied, and dead letters resolved, in transactions that hold the locks of the checkpoints. So an attempt to retry a
dead letter and new events of its stream never overtake each other. A process claims a dead letter before it tries it, and notes
one more death in case it does not survive (ADR 0009)::

    due ──claim: deaths + 1──▶ tried ──handled──▶ removed
     ▲                           ├──failed, not finished, or stopped: deaths = 0
     └──── the claim is over ────┴──the process dies: deaths stay
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from schemas.errors import CaudalError, Conflict, Unavailable
from schemas.system import ContextName
from streams.database.pools import Connection
from streams.subscriptions.dead_letters import CLAIM_SECONDS, MAX_DEATHS, DeadLetter, Parked
from streams.subscriptions.faults import Fault, ProcessDied
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import LogEvent
from streams.telemetry.retrying import every

R = TypeVar("R")
_log = structlog.get_logger()
_RELEASE_SECONDS = 1.0


@dataclass(slots=True)
class Isolated(Generic[R]):
    """The results of the events that were applied, and what was parked."""

    results: list[R] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    blocked: set[tuple[ContextName, str]] = field(default_factory=set)
    """Streams whose events are parked."""
    locations: set[str] = field(default_factory=set)
    """The lines of faults whose traceback was logged: a thousand events often fail at one line."""


@dataclass(frozen=True, slots=True)
class _Result(Generic[R]):
    value: R


class FailureIsolation(Generic[R]):
    """Isolates the failures of one subscription in one of its stores."""

    def __init__(
        self,
        store: SubscriptionStore,
        apply: Callable[[Connection, Sequence[LogEvent]], Awaitable[R]],
        *,
        is_fault_of_event: Callable[[Exception], bool] = lambda _: True,
        is_finished: Callable[[R], Awaitable[bool]] | None = None,
        max_events: int | None = None,
    ) -> None:
        """Takes what differs between subscribers.

        ``apply`` applies all of some events or none of them and raises. ``is_fault_of_event`` returns whether an error is
        about an event; others, such as a database out of reach, are raised. ``is_finished`` completes the effect of a
        retry's result and returns whether it has; it is called outside of the transaction, because it may need other
        connections. ``None``: the transaction is the whole effect. ``max_events`` is how many events are applied at once;
        ``None``: all.
        """
        self._store, self._apply = store, apply
        self._is_fault_of_event, self._is_finished, self._max_events = is_fault_of_event, is_finished, max_events
        self._deaths: dict[int, int] = {}
        """By id: the deaths that this process has noted in case it does not survive, removed when the survival is noted."""

    async def handle(
        self, connection: Connection, events: Sequence[LogEvent], with_dead_letters: Collection[ContextName]
    ) -> Isolated[R]:
        """Applies what can be applied and parks the rest, in a transaction that has locked the events' checkpoints.

        ``with_dead_letters`` are the contexts that may have open dead letters. Raises `DeadLettersFull`.
        """
        isolated: Isolated[R] = Isolated()
        for context in with_dead_letters:
            streams = {event.stream for of, event in events if of == context}
            blocked = await self._store.dead_letters.blocked(connection, context, streams)
            isolated.blocked |= {(context, stream) for stream in blocked}
        size = self._max_events or len(events) or 1
        for start in range(0, len(events), size):
            await self._apply_or_park(connection, events[start : start + size], isolated)
        if isolated.parked:
            await self._store.dead_letters.park(connection, isolated.parked)
        return isolated

    async def park(self, one: LogEvent, error: Exception) -> None:
        """Parks an event whose effect failed after it was applied, or that is not to be applied.

        One that is parked already stays as it is.
        """
        isolated: Isolated[R] = Isolated()
        self._park(one, error, isolated)
        async with self._locked(one.context, one.event.partition) as connection:
            await self._store.dead_letters.park(connection, isolated.parked)

    async def retry(self) -> None:
        """Tries the dead letters again that are due, those of one stream in order until one fails."""
        for context, partition, stream in await self._store.dead_letters.due():
            while await self._retry_first(context, partition, stream):
                pass

    async def _retry_first(self, context: ContextName, partition: int, stream: str) -> bool:
        """Tries the first dead letter of a stream again; returns whether it was handled."""
        if (begun := await self._begin(context, partition, stream)) is None:
            return False
        try:
            is_handled = await self._retry_begun(context, partition, stream, begun)
        except (Exception, asyncio.CancelledError):
            with suppress(CaudalError, TimeoutError):
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._release_survived(begun)
            raise
        if is_handled:
            del self._deaths[begun.id]
        else:
            await self._release_survived(begun)
        return is_handled

    async def _begin(self, context: ContextName, partition: int, stream: str) -> DeadLetter | None:
        """Claims a stream's first dead letter and notes the coming attempt, in a transaction of its own.

        Returns the dead letter; ``None`` if it is not due, is tried by another process, or has ended too many processes.
        """
        async with self._locked(context, partition) as connection:
            if not (waiting := await self._store.dead_letters.of_stream(connection, context, stream)):
                return None
            first = waiting[0]
            noted = self._deaths.get(first.id)
            is_own_among_them = noted is not None and noted <= first.deaths
            deaths = first.deaths if is_own_among_them else first.deaths + 1
            if not await self._store.dead_letters.claim(connection, first, deaths):
                return None
            if deaths > MAX_DEATHS:
                fault = Fault.of(ProcessDied("the process ended while handling it again"))
                _log.error("dead letter parked", dead_letter=first.name, why=fault.error)
                await self._store.dead_letters.mark_died(connection, first, fault)
                return None
            self._deaths[first.id] = deaths
            return first

    async def _release_survived(self, begun: DeadLetter) -> None:
        """Notes that this process has survived an attempt, and ends its claim."""
        async with self._store.transaction() as connection:
            await self._store.dead_letters.release(connection, begun, self._deaths[begun.id])
        del self._deaths[begun.id]

    @asynccontextmanager
    async def _claim_kept(self, begun: DeadLetter) -> AsyncIterator[None]:
        """Extends the claim of a dead letter again and again during a block that may take longer."""

        async def extend() -> None:
            await self._store.dead_letters.extend_claim(begun, self._deaths[begun.id])

        extending = asyncio.create_task(every(CLAIM_SECONDS / 3, extend, "extension of a claim"))
        try:
            yield
        finally:
            extending.cancel()
            await asyncio.wait([extending])

    async def _retry_begun(self, context: ContextName, partition: int, stream: str, begun: DeadLetter) -> bool:
        async with self._locked(context, partition) as connection:
            waiting = await self._store.dead_letters.of_stream(connection, context, stream)
            if not waiting or waiting[0].id != begun.id:
                return bool(waiting)  # an operator has skipped it meanwhile
            result = await self._applied(connection, waiting[0])
            if result is None:
                return False
            if self._is_finished is None:
                await self._store.dead_letters.mark_handled(connection, waiting[0])
                return True
        error: Exception | None = None
        try:
            async with self._claim_kept(begun):
                if not await self._is_finished(result.value):
                    return False
        except (Unavailable, Conflict):
            raise
        except Exception as failure:
            error = failure
        async with self._locked(context, partition) as connection:
            still = await self._store.dead_letters.of_stream(connection, context, stream)
            if not still or (still[0].id, still[0].edited) != (waiting[0].id, waiting[0].edited):
                if still:
                    await self._store.dead_letters.release(connection, begun, self._deaths[begun.id])
                return bool(still)  # another process, or an operator, has resolved or edited it meanwhile
            if error is not None:
                await self._mark_failed(connection, still[0], error)
                return False
            await self._store.dead_letters.mark_handled(connection, still[0])
        return True

    @asynccontextmanager
    async def _locked(self, context: ContextName, partition: int) -> AsyncIterator[Connection]:
        async with self._store.transaction() as connection:
            await self._store.checkpoints.lock(connection, [(context, partition)])
            yield connection

    async def _apply_or_park(self, connection: Connection, events: Sequence[LogEvent], isolated: Isolated[R]) -> None:
        free = _without_blocked(events, isolated)
        if not free:
            return
        try:
            isolated.results.append(await self._apply(connection, free))
        except Exception as error:
            if not self._is_fault_of_event(error):
                raise
            if len(free) == 1:
                self._park(free[0], error, isolated)
                return
            half = len(free) // 2
            await self._apply_or_park(connection, free[:half], isolated)
            await self._apply_or_park(connection, free[half:], isolated)

    def _park(self, one: LogEvent, error: Exception, isolated: Isolated[R]) -> None:
        fault = Fault.of(error)
        _log.error(
            "event parked",
            subscription=self._store.subscription,
            context=str(one.context),
            position=one.event.position,
            stream=one.event.stream,
            type=one.event.type,
            why=fault.error,
            location=fault.location,
            exc_info=None if fault.location in isolated.locations else error,
        )
        isolated.locations.add(fault.location)
        isolated.parked.append(Parked.of_event(one.context, one.event, fault))
        isolated.blocked.add((one.context, one.event.stream))

    async def _applied(self, connection: Connection, dead_letter: DeadLetter) -> "_Result[R] | None":
        """Returns the result of applying a dead letter's event; ``None`` if it failed again, which is recorded."""
        try:
            one = LogEvent(dead_letter.context, dead_letter.stored_event())
            return _Result(await self._apply(connection, [one]))
        except Exception as error:
            if not self._is_fault_of_event(error):
                raise
            await self._mark_failed(connection, dead_letter, error)
            return None

    async def _mark_failed(self, connection: Connection, dead_letter: DeadLetter, error: Exception) -> None:
        fault = Fault.of(error)
        _log.warning("dead letter failed", dead_letter=dead_letter.name, why=fault.error, location=fault.location)
        await self._store.dead_letters.mark_failed(connection, dead_letter, fault)


def _without_blocked(events: Sequence[LogEvent], isolated: Isolated[R]) -> list[LogEvent]:
    free = []
    for context, event in events:
        if (context, event.stream) in isolated.blocked:
            isolated.parked.append(Parked.of_event(context, event, None))
        else:
            free.append(LogEvent(context, event))
    return free
