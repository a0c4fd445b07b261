"""Failure isolation: handles what can be handled, parks each event that fails, and each event that must wait behind it.

The same for projections and policies; only what it means to apply events differs. A projection applies many events at once, so
the failing one is found by halving::

    1000 events ─▶ fail ─▶ 500 ok, 500 fail ─▶ 250 ok, 250 fail ─▶ … ─▶ 1 fails: parked; the later events of its stream too

A policy applies events one by one (``max_events=1``), so that each reaction runs once.

Everything happens in a transaction that holds the locks of the checkpoints. So an attempt to retry a dead letter and new events
of its stream never overtake each other.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from schemas.system import ContextName
from streams.database.pools import Connection
from streams.subscriptions.dead_letters import DeadLetter, Parked
from streams.subscriptions.faults import Fault
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import LogEvent

R = TypeVar("R")
_log = structlog.get_logger()


async def _nothing_is_left(_: object) -> bool:
    return True


@dataclass(slots=True)
class Isolated(Generic[R]):
    """The results of the events that were applied, and what was parked."""

    results: list[R] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    blocked: set[tuple[ContextName, str]] = field(default_factory=set)
    """Streams whose events are parked."""
    locations: set[str] = field(default_factory=set)
    """The lines of faults whose traceback was logged: a thousand events often fail at one line."""


class FailureIsolation(Generic[R]):
    """Isolates the failures of one subscription in one of its stores."""

    def __init__(
        self,
        store: SubscriptionStore,
        apply: Callable[[Connection, Sequence[LogEvent]], Awaitable[R]],
        *,
        is_fault_of_event: Callable[[Exception], bool] = lambda _: True,
        is_finished: Callable[[R], Awaitable[bool]] = _nothing_is_left,
        max_events: int | None = None,
    ) -> None:
        """Takes what differs between subscribers.

        ``apply`` applies all of some events or none of them and raises. ``is_fault_of_event`` returns whether an error is
        about an event; others, such as a database out of reach, are raised. ``is_finished`` returns whether the result of
        a retry has had its effect. ``max_events`` is how many events are applied at once; ``None``: all.
        """
        self._store, self._apply = store, apply
        self._is_fault_of_event, self._is_finished, self._max_events = is_fault_of_event, is_finished, max_events

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

    async def retry(self) -> None:
        """Tries the dead letters again that are due, those of one stream in order until one fails."""
        for context, partition, stream in await self._store.dead_letters.due():
            async with self._store.transaction() as connection:
                await self._store.checkpoints.lock(connection, [(context, partition)])
                for dead_letter in await self._store.dead_letters.of_stream(connection, context, stream):
                    if not await self._is_retried(connection, dead_letter):
                        break

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

    async def _is_retried(self, connection: Connection, dead_letter: DeadLetter) -> bool:
        try:
            one = LogEvent(dead_letter.context, dead_letter.stored_event())
            result = await self._apply(connection, [one])
        except Exception as error:
            if not self._is_fault_of_event(error):
                raise
            fault = Fault.of(error)
            _log.warning("dead letter failed", dead_letter=dead_letter.name, why=fault.error, location=fault.location)
            await self._store.dead_letters.mark_failed(connection, dead_letter, fault)
            return False
        if not await self._is_finished(result):
            return False
        await self._store.dead_letters.mark_handled(connection, dead_letter)
        return True


def _without_blocked(events: Sequence[LogEvent], isolated: Isolated[R]) -> list[LogEvent]:
    free = []
    for context, event in events:
        if (context, event.stream) in isolated.blocked:
            isolated.parked.append(Parked.of_event(context, event, None))
        else:
            free.append(LogEvent(context, event))
    return free
