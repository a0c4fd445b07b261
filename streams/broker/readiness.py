"""Readiness of a member of a consumer group."""

import time
from collections.abc import Collection

_MAX_JOIN_SECONDS = 20


class GroupReadiness:
    """Whether a consumer group has assigned partitions to this process.

    If there are more processes than partitions, some never get any: after 20 seconds every member counts as ready.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._began = time.monotonic()
        self.had_partitions = False

    def note_assignment(self, partitions: Collection[object]) -> None:
        """Notes the partitions that the group has assigned now."""
        self.had_partitions = self.had_partitions or bool(partitions)

    def why_not_ready(self) -> str | None:
        """Returns why the process is not ready, or ``None`` if it is."""
        if self.had_partitions or time.monotonic() - self._began > _MAX_JOIN_SECONDS:
            return None
        return f"the consumer group {self._group} has not assigned partitions yet"
