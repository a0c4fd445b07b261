"""Attempts to handle a record of a commands topic, kept beside the log so that they outlast a process that dies of it.

A process notes the first batch that it handles of a partition. If that note is still there when a process starts, one has died
in between: the batch is then handled record by record, each noted before, so that the record to blame is known.
"""

from typing import NamedTuple

from streams.database.store import Store


class Attempt(NamedTuple):
    """The number of times that processes have begun to handle a record."""

    offset: int
    times: int


class Attempts:
    """The newest attempt in each partition of one context's commands topic. All methods raise `Unavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def newest(self, partition: int) -> Attempt | None:
        """Returns the attempt that no process has finished, or ``None``."""
        row = await self._store.fetchrow("command_attempt", partition)
        return None if row is None else Attempt(row["first_offset"], row["attempts"])

    async def note(self, partition: int, attempt: Attempt) -> None:
        """Notes that a process begins to handle a record, or a batch that begins with it."""
        await self._store.execute("command_attempt_note", partition, attempt.offset, attempt.times)

    async def clear(self, partition: int) -> None:
        """Notes that nothing is being handled that has not been handled before."""
        await self._store.execute("command_attempt_clear", partition)
