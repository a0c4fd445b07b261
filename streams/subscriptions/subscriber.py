"""Subscriber: a projection or a policy, which follows the events of some contexts, partition by partition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from schemas.system import ContextName
from streams.log.stored_events import StoredEvent
from streams.subscriptions.store import SubscriptionStore


class LogEvent(NamedTuple):
    """An event and the context whose log holds it."""

    context: ContextName
    event: StoredEvent


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one partition of a context's topic, in order."""

    context: ContextName
    partition: int
    events: Sequence[StoredEvent]

    @property
    def where(self) -> tuple[ContextName, int]:
        """Its context and partition."""
        return self.context, self.partition


class Subscriber(Protocol):
    """A projection or a policy, which keeps its position with its effects (`streams.subscriptions.gap_filling`)."""

    name: str
    contexts: frozenset[ContextName]

    @property
    def events(self) -> Mapping[ContextName, frozenset[str]]:
        """The events that this code follows, by context, each as ``Type@schema_version``."""
        ...

    @property
    def stores(self) -> Sequence[SubscriptionStore]:
        """The store of its checkpoints and dead letters."""
        ...

    async def position(self, context: ContextName, partition: int) -> int:
        """Returns the position of the last event that this subscriber has handled, in this process or in another."""
        ...

    async def handle(self, batches: Sequence[Batch]) -> None:
        """Handles batches, at most one of a partition. Skips events that it has handled, fetches events that are missing.

        Raises `Unavailable`, `Conflict` or `DeadLettersFull`: the caller repeats the batches.
        """
        ...

    async def wait_for_room(self) -> None:
        """Returns once it may get more batches: so the topics are read more slowly if their effects take longer.

        Raises `Unavailable` if that is not to be expected soon; other subscribers do not wait for this one then.
        """
        ...

    async def retry(self) -> None:
        """Tries the dead letters again that are due."""
        ...

    async def park(self, context: ContextName, event: StoredEvent, error: Exception) -> None:
        """Parks an event that is not handled yet: `handle` then passes over it, and parks what follows it in its stream.

        Raises `Unavailable` or `DeadLettersFull`.
        """
        ...

    def invalidate(self, context: ContextName, partition: int) -> None:
        """Drops what this process remembers of a partition: another process has it now, or its checkpoint was reset."""
        ...
