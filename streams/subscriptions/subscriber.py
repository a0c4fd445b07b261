"""Subscribers: whoever follows the events of some contexts, partition by partition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.catalog import ContextName
from streams.log.stored_events import StoredEvent
from streams.subscriptions.store import SubscriptionStore


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one partition of a context's topic, in order."""

    context: ContextName
    partition: int
    rows: Sequence[StoredEvent]


class Subscriber(Protocol):
    """Keeps its position with its effects; see `streams.subscriptions.gap_filling` for the rule that it goes by."""

    name: str
    contexts: frozenset[ContextName]

    @property
    def stores(self) -> Sequence[SubscriptionStore]:
        """Where it keeps its checkpoints and dead letters."""
        ...

    async def position(self, context: ContextName, partition: int) -> int:
        """Where it stands: the position of the last event that it, or its like in another process, has dealt with."""
        ...

    async def take(self, batches: Sequence[Batch]) -> None:
        """Deals with batches, at most one of a partition; must skip what it has dealt with and let no hole stand."""
        ...

    async def retry(self) -> None:
        """Tries the dead letters again that are due."""
        ...

    def forget(self, context: ContextName, partition: int) -> None:
        """Whatever is remembered of the partition is out of date: it has gone to another process, or was put elsewhere."""
        ...
