"""Readiness of a member of a consumer group."""

from collections.abc import Collection


class GroupReadiness:
    """Whether a consumer group has admitted this process.

    If there are more processes than partitions, some never get any: a member without partitions is ready as well. A process
    that the group has not admitted is not, however long it waits.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._was_admitted = False
        self.had_partitions = False

    def note_assignment(self, partitions: Collection[object], *, is_member: bool) -> None:
        """Notes the partitions that the group has assigned now, and whether this process is a member of the group."""
        self.had_partitions = self.had_partitions or bool(partitions)
        self._was_admitted = self._was_admitted or self.had_partitions or is_member

    def why_not_ready(self) -> str | None:
        """Returns why the process is not ready, or ``None`` if it is."""
        return None if self._was_admitted else f"the consumer group {self._group} has not assigned partitions yet"
