"""The aggregate: what one stream's events add up to, and the events that a decision adds to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from eventsourcing.domain import BaseAggregate, CanMutateAggregate

from aggregates.snapshot import SnapshotPolicy
from schemas.errors import Unusable
from schemas.message import Event


@dataclass(frozen=True)
class Happened(CanMutateAggregate[str]):
    """An event in its place in a stream: carries the published event through the domain layer's version checks."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    event: Event

    def apply(self, aggregate: Any) -> None:
        aggregate.evolve(self.event)


class Aggregate(BaseAggregate[str]):
    """Consistency boundary around one stream, on ``eventsourcing``'s aggregate.

    A subclass names its ``category``, sets its first state in ``__init__`` without arguments, and changes it in
    `evolve` alone. Decisions call `record`. Only event names are ever stored, never a class's path.
    """

    category: ClassVar[str]
    snapshots: ClassVar[SnapshotPolicy | None] = None
    """How its snapshots are made; without it there are none, which is best for streams that stay short."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "__init__" not in cls.__dict__:
            # Else the domain layer would make one, and what the class it derives from sets up would be missing.
            cls.__init__ = cls.__init__  # type: ignore[method-assign]
        super().__init_subclass__(**kwargs)

    @classmethod
    def empty(cls, stream: str, at: datetime) -> Self:
        """The aggregate of a stream that holds no event yet (version 0)."""
        aggregate = cls.__new__(cls)
        aggregate.__base_init__(originator_id=stream, originator_version=0, timestamp=at)
        aggregate.__init__()  # type: ignore[misc]
        return aggregate

    def __base_init__(self, originator_id: str, originator_version: int, timestamp: datetime) -> None:
        super().__base_init__(originator_id, originator_version, timestamp)
        # When the command that is being decided was issued; set by whoever runs the decision. Not annotated: the
        # domain layer would take an annotated attribute for an argument of __init__.
        self.decided_at = timestamp
        # The version up to which a snapshot tells its state; set by whoever loads it and takes one.
        self.snapshot_version = 0
        # Whether its state did come to be, as far as is known; whoever decided on one that did not must decide again.
        self.stands = True

    @property
    def key(self) -> str:
        """The aggregate's own id: its stream without the category."""
        return self.id.removeprefix(f"{self.category}-")

    @property
    def is_new(self) -> bool:
        """Whether nothing has happened to it yet."""
        return self.version == 0

    def record(self, event: Event) -> None:
        """Adds an event and lets it take effect at once; it becomes fact when the log has appended it."""
        # What `trigger_event` does, without its search for arguments: it is the dearest step of a small decision.
        happened = Happened(self.id, self.version + 1, self.decided_at, event)
        happened.mutate(self)
        self.pending_events.append(happened)

    def replay(self, event: Event, version: int, recorded_at: datetime) -> None:
        """Lets a recorded event take effect; raises ``OriginatorVersionError`` where it is not the next one."""
        Happened(originator_id=self.id, originator_version=version, timestamp=recorded_at, event=event).mutate(self)

    def restore(self, version: int, state_schema: str, state: str) -> None:
        """Puts the state of a snapshot in place of events; raises `Unusable`, and changes nothing then."""
        if self.snapshots is None:
            raise Unusable("the aggregate has no snapshots any more")
        self.snapshots.restore(self, state_schema, state)
        self.version = self.snapshot_version = version

    def evolve(self, event: Event) -> None:
        """Changes the state by one event. Must accept every event of its streams and never reject."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What its events have added up to, by attribute, for those who look at it: public attributes of its own."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_") and name not in _OURS}

    def is_snapshot_due(self) -> bool:
        """Whether enough has happened since the last snapshot."""
        return self.snapshots is not None and self.version - self.snapshot_version >= self.snapshots.every

    def take_recorded(self) -> tuple[Event, ...]:
        """Hands over the events recorded since the last call, in order."""
        return tuple(happened.event for happened in self.collect_events() if isinstance(happened, Happened))


_OURS = frozenset({"decided_at", "snapshot_version", "stands"})
