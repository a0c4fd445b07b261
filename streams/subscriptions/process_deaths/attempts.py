"""Attempts to handle events, kept beside the checkpoints so that they outlast a process that dies of one (ADR 0009)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.system import ContextName
from streams.database.store import Store


class Attempt(NamedTuple):
    """Events of one partition that a process has begun to handle, and has not been seen to finish."""

    first: int
    """Position of the first event."""
    up_to: int
    """Position of the last event that was in flight when the first process began."""
    times: int
    """The number of processes that have begun to handle the first event alone: 0 for a batch."""


class Attempts:
    """The newest attempt in each partition that one subscription follows. All methods raise `Unavailable`."""

    def __init__(self, store: Store, subscription: str) -> None:
        self._store, self._subscription = store, subscription

    async def newest(self, context: ContextName, partition: int) -> Attempt | None:
        """Returns the attempt that no process has finished, or ``None``."""
        row = await self._store.fetchrow("event_attempt", self._subscription, str(context), partition)
        return None if row is None else Attempt(row["first"], row["up_to"], row["times"])

    async def note(self, attempts: Mapping[tuple[ContextName, int], Attempt]) -> None:
        """Notes that a process begins to handle events of some partitions."""
        columns = zip(*((str(context), partition, *attempt) for (context, partition), attempt in attempts.items()), strict=True)
        await self._store.execute("event_attempts_note", self._subscription, *map(list, columns))

    async def clear(self, partitions: Iterable[tuple[ContextName, int]]) -> None:
        """Notes that the process has survived the events of some partitions."""
        columns = zip(*((str(context), partition) for context, partition in partitions), strict=True)
        await self._store.execute("event_attempts_clear", self._subscription, *map(list, columns))
