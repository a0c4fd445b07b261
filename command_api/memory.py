"""Aggregates in memory: those in use need no reading; the append tells when one is out of date."""

from collections import OrderedDict

from aggregates.aggregate import Aggregate


class AggregateMemory:
    """The most recently used aggregates of one context, by stream."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._aggregates: OrderedDict[str, Aggregate] = OrderedDict()

    def get(self, stream: str) -> Aggregate | None:
        """The aggregate of a stream, where it is here; now the most recently used."""
        aggregate = self._aggregates.get(stream)
        if aggregate is not None:
            self._aggregates.move_to_end(stream)
        return aggregate

    def keep(self, aggregate: Aggregate) -> None:
        """Keeps an aggregate, in the place of the least recently used one if need be."""
        self._aggregates[aggregate.id] = aggregate
        self._aggregates.move_to_end(aggregate.id)
        if len(self._aggregates) > self._most:
            self._aggregates.popitem(last=False)

    def believes(self, aggregate: Aggregate) -> bool:
        """Whether this very object still stands for its stream."""
        return self._aggregates.get(aggregate.id) is aggregate

    def disown(self, aggregate: Aggregate) -> None:
        """Drops an aggregate whose state did not come to be."""
        if self.believes(aggregate):
            del self._aggregates[aggregate.id]
