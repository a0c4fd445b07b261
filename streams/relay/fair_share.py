"""A relay process's share of the logs: as many as each would have if those that could relay shared evenly."""

from collections.abc import Collection
from math import ceil

from schemas.catalog import ContextName


class Share:
    """What one process relays. Of its relays, each asks before it takes a log and while it holds one."""

    def __init__(self, logs: Collection[ContextName]) -> None:
        self._logs = len(logs)
        self._held: set[ContextName] = set()

    def take(self, context: ContextName, processes: int) -> bool:
        """Counts a log in, if there is room for it while so many processes could relay."""
        if context not in self._held and len(self._held) < self._fair(processes):
            self._held.add(context)
            return True
        return context in self._held

    def give_up(self, context: ContextName) -> None:
        """Counts a log out."""
        self._held.discard(context)

    def is_too_much(self, processes: int) -> bool:
        """Whether one of the logs that are held should go to another process."""
        return len(self._held) > self._fair(processes)

    def _fair(self, processes: int) -> int:
        return ceil(self._logs / processes)
