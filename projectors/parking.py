"""Parking: applies what can be applied of some events, and finds each that cannot and each that must wait behind it."""

from collections.abc import Awaitable, Callable, Sequence

from schemas.catalog import ContextName
from streams.database.errors import blames_values
from streams.database.pools import Connection
from streams.log.stored_events import StoredEvent
from streams.subscriptions.dead_letters import Parked

Placed = tuple[ContextName, StoredEvent]
"""An event of a context's log."""
Apply = Callable[[Connection, Sequence[Placed]], Awaitable[None]]
"""Applies all of some events, or raises."""


class Parking:
    """Takes one batch's events, in order, within a transaction that is under way."""

    def __init__(self, connection: Connection, apply: Apply, blocked: set[tuple[ContextName, str]]) -> None:
        """``blocked`` are the streams that have dead letters already."""
        self._connection, self._apply, self._blocked = connection, apply, blocked
        self.parked: list[Parked] = []

    async def take(self, placed: Sequence[Placed]) -> None:
        """Applies what can be; what cannot is in `parked`, in the order of its stream.

        Halves what fails until single events are left, so that one bad event of a thousand costs some ten more tries. Raises
        what is not about an event: a database that is out of reach, or not as it should be.
        """
        free = self._without_blocked(placed)
        if not free:
            return
        try:
            async with self._connection.transaction():
                await self._apply(self._connection, free)
        except Exception as error:
            if not blames_values(error):
                raise
            if len(free) == 1:
                ((context, row),) = free
                self.parked.append(Parked.event(context, row, error))
                self._blocked.add((context, row.stream))
                return
            half = len(free) // 2
            await self.take(free[:half])
            await self.take(free[half:])

    def _without_blocked(self, placed: Sequence[Placed]) -> list[Placed]:
        free = []
        for context, row in placed:
            if (context, row.stream) in self._blocked:
                self.parked.append(Parked.event(context, row, None))
            else:
                free.append((context, row))
        return free
