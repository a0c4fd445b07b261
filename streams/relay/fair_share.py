"""The fair share of a relay process: the number of logs it has if all relay processes share them evenly.

Idle logs count like busy ones. Each process decides alone, and all count the same logs, so the shares have room for every log.
If idle logs did not count, processes that see the traffic differently for a moment could leave a log without an owner.
"""

from collections.abc import Collection
from math import ceil

from schemas.system import ContextName


class FairShare:
    """The logs that one process relays. Each of its relays asks before it takes a log's lease and while it holds it."""

    def __init__(self, logs: Collection[ContextName]) -> None:
        self._logs = len(logs)
        self._held: set[ContextName] = set()

    def take(self, context: ContextName, processes: int) -> bool:
        """Adds a log if the share of one out of so many processes has room for it; returns whether the log is in the share."""
        if context not in self._held and len(self._held) < self._size(processes):
            self._held.add(context)
            return True
        return context in self._held

    def give_up(self, context: ContextName) -> None:
        """Removes a log."""
        self._held.discard(context)

    def is_exceeded(self, processes: int) -> bool:
        """Returns whether this process holds more logs than its share and should yield one."""
        return len(self._held) > self._size(processes)

    def _size(self, processes: int) -> int:
        return ceil(self._logs / processes)
