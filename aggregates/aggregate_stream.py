"""Aggregates of the package `eventsourcing` as states of streams.

An aggregate is a class of ``eventsourcing.domain`` with its methods and events. Published events are classes of `schemas` as
everywhere, and each names one event of the aggregate, so that nothing in a log depends on a Python path::

    state ── aggregate() ──▶ aggregate ── methods ──▶ its events ── recorded() ──▶ published events ──▶ log
      ▲                                                                                                  │
      └──────────────────────────────────── evolve ◀─────────────────────────────────────────────────────┘
"""

import copy
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from eventsourcing.domain import Aggregate, CanInitAggregate
from eventsourcing.utils import get_topic
from pydantic import Field

from aggregates.state import State
from aggregates.stream import Stream
from schemas.errors import Misconfigured
from schemas.message import Event

A = TypeVar("A", bound=Aggregate)
_NO_TIME = datetime.fromtimestamp(0, UTC)
"""The time of an aggregate that is made of published events: theirs are the log's."""
_TRANSIENT = frozenset({"_version", "_created_on", "_modified_on", "_pending_events"})
_OF_THE_LIBRARY = frozenset({"originator_id", "originator_version", "timestamp", "originator_topic", "originator_id_type"})


class AggregateState(State):
    """The attributes of an aggregate, without those that the package keeps for itself. There are no snapshots of it."""

    attributes: dict[str, Any] = Field(default_factory=dict)
    version: int = 0


class AggregateStream(Stream[AggregateState], Generic[A]):
    """A category of streams whose state is an aggregate.

    ``events`` names the aggregate's event for each published one, ``Created`` or ``Approved``; their fields are the same.
    ``id_field`` is the field of published events that holds the aggregate's id. Raises `Misconfigured` if the aggregate lacks
    an event or one of its fields.
    """

    def __init__(
        self, category: str, aggregate: type[A], events: Mapping[type[Event], str], *, id_field: str, noun: str | None = None
    ) -> None:
        super().__init__(category, AggregateState, self._evolved, noun=noun)
        self._aggregate, self._id_field = aggregate, id_field
        self._published: dict[type[Any], type[Event]] = {}
        self._own: dict[type[Event], type[Any]] = {}
        for published, name in events.items():
            own = getattr(aggregate, name, None)
            if own is None:
                raise Misconfigured(f"the aggregate {aggregate.__name__} has no event {name}, which {published.__name__} names")
            if (fields := _fields_of(own)) != (theirs := published.model_fields.keys() - {id_field}):
                raise Misconfigured(
                    f"{published.__name__} has the fields {', '.join(sorted(theirs))}, the event {name} of "
                    f"{aggregate.__name__} has {', '.join(sorted(fields))}: give both the same"
                )
            self._own[published], self._published[own] = own, published

    def aggregate(self, state: AggregateState) -> A:
        """Returns the aggregate of a state; a change of it does not change the state."""
        found = object.__new__(self._aggregate)
        found.__dict__.update(copy.deepcopy(state.attributes))
        found.__dict__.update(_version=state.version, _created_on=_NO_TIME, _modified_on=_NO_TIME, _pending_events=[])
        return found

    def recorded(self, aggregate: A) -> Iterator[Event]:
        """Yields what happened to an aggregate since it was made of its state, as published events."""
        for event in aggregate.collect_events():
            published = self._published.get(type(event))
            if published is None:
                raise Misconfigured(f"no event is published for {type(event).__name__} of {type(aggregate).__name__}")
            fields = {name: getattr(event, name) for name in published.model_fields if name != self._id_field}
            yield published(**{self._id_field: event.originator_id}, **fields)

    def _evolved(self, state: AggregateState, event: Event) -> AggregateState:
        own = self._own.get(type(event))
        if own is None:
            return state
        fields = {name: getattr(event, name) for name in type(event).model_fields if name != self._id_field}
        if issubclass(own, CanInitAggregate):
            fields["originator_topic"] = get_topic(self._aggregate)
        id, version = getattr(event, self._id_field), state.version + 1
        happened: Any = cast(Any, own)(originator_id=id, originator_version=version, timestamp=_NO_TIME, **fields)
        after = cast(A, happened.mutate(self.aggregate(state) if state.version else None))
        kept = {name: value for name, value in after.__dict__.items() if name not in _TRANSIENT}
        return AggregateState(attributes=kept, version=version)


def _fields_of(event: type[Any]) -> set[str]:
    return {name for one in event.__mro__ for name in vars(one).get("__annotations__", {})} - _OF_THE_LIBRARY
