"""Attempts to handle events or commands, kept in a database so that they outlast a process that dies of one (ADR 0009)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.system import ContextName
from streams.database.store import Store

CAREFUL_SECONDS = 10.0
"""How long a process notes what it handles of a partition."""
CLEAR_SECONDS = 1.0
"""How long a note may take to be set back, when a process ends in order or an attempt raises."""
MAX_IN_FLIGHT = 6000
"""The number of events or commands of a partition that can have been in flight when a process died."""
_MAX_DEATHS_ALONE = 2
DIED_ALONE = "the process ended twice while handling it alone"
"""The reason why an event or a command is parked of which processes have died."""


class Attempt(NamedTuple):
    """Events or commands of one partition that a process has begun to handle, and has not been seen to finish."""

    first: int
    """Position of the first event, or offset of the first command."""
    up_to: int
    """Position of the last event that was in flight when the first process began, or offset of the last command."""
    times: int
    """The number of processes that have begun to handle the first one alone: 0 for a batch."""

    def alone(self, place: int) -> "Attempt":
        """Returns the next attempt: to handle the event or command at a place alone."""
        return Attempt(place, self.up_to, (self.times if place == self.first else 0) + 1)

    @property
    def is_given_up(self) -> bool:
        """Returns whether two processes have died of the first one alone before this attempt."""
        return self.times > _MAX_DEATHS_ALONE


class Attempts:
    """The newest attempt in each partition of one subscription, or of the commands topics. All methods raise `Unavailable`."""

    def __init__(self, store: Store, subscription: str) -> None:
        self._store, self._subscription = store, subscription

    async def newest(self, context: ContextName, partition: int) -> Attempt | None:
        """Returns the attempt that no process has finished, or ``None``."""
        row = await self._store.fetchrow("attempt", self._subscription, str(context), partition)
        return None if row is None else Attempt(row["first"], row["up_to"], row["times"])

    async def note(self, attempts: Mapping[tuple[ContextName, int], Attempt]) -> None:
        """Notes that a process begins to handle some partitions' events or commands."""
        columns = zip(*((str(context), partition, *attempt) for (context, partition), attempt in attempts.items()), strict=True)
        await self._store.execute("attempts_note", self._subscription, *map(list, columns))

    async def clear(self, partitions: Iterable[tuple[ContextName, int]]) -> None:
        """Notes that the process has survived what it handled of some partitions."""
        columns = zip(*((str(context), partition) for context, partition in partitions), strict=True)
        await self._store.execute("attempts_clear", self._subscription, *map(list, columns))
