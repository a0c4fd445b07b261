"""Attempts to handle events or commands, kept in a database so that they outlast a process that dies of one (ADR 0009)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.system import ContextName
from streams.database.store import Store


class Attempt(NamedTuple):
    """Events or commands of one partition that a process has begun to handle, and has not been seen to finish."""

    first: int
    """Position of the first event, or offset of the first command."""
    up_to: int
    """Position of the last event that was in flight when the first process began, or offset of the last command."""
    times: int
    """The number of processes that have begun to handle the first one alone: 0 for a batch."""


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
