"""Given/when/then for decisions and policies: the public test kit of this folder.

Scenario(DECISIONS).given("rulebook-acme", SchemaRegistered(...)).when(ValidateData(...)).then(DataValidated(...))
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Decisions, Ref
from aggregates.policy import Policy
from schemas.envelope import CommandEnvelope, Metadata, RecordedEvent
from schemas.errors import Rejected
from schemas.message import Command, Event

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_ID = UUID("01940000-0000-7000-8000-000000000001")


class Scenario:
    """One decision, told from what happened before to what is recorded."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions: dict[type[Command], Decision[Any]] = {d.command: d for d in decisions}
        self._history: dict[str, list[Event]] = {}
        self._recorded: dict[str, tuple[Event, ...]] = {}
        self._rejection: Rejected | None = None

    def given(self, stream: str, *events: Event) -> Self:
        """These events stand in a stream already."""
        self._history.setdefault(stream, []).extend(events)
        return self

    def when(self, command: Command, *, id: UUID = FIRST_ID, at: datetime = MIDNIGHT, actor: str | None = None) -> Self:
        """The command is issued; what it records joins the history, so that ``when`` may follow ``when``."""
        decision = self._decisions[type(command)]
        issued = CommandEnvelope(data=command, id=id, at=at, correlation_id=str(id), actor=actor)
        self._recorded, self._rejection = {}, None
        aggregates = [self._load(ref, at) for ref in decision.about(issued)]
        try:
            decision.decide(issued, *aggregates)
        except Rejected as rejection:
            self._rejection = rejection
            return self
        self._recorded = {aggregate.id: events for aggregate in aggregates if (events := aggregate.take_recorded())}
        for stream, events in self._recorded.items():
            self.given(stream, *events)
        return self

    def then(self, *events: Event) -> Self:
        """Exactly these events were recorded, in this order."""
        assert self._rejection is None, f"rejected: {self._rejection}"
        assert self.recorded == events, f"recorded {self.recorded!r}"
        return self

    def then_rejected(self, kind: type[Rejected] = Rejected, containing: str = "") -> Self:
        """The command was rejected, and nothing recorded."""
        assert isinstance(self._rejection, kind), f"not rejected with {kind.__name__}: {self._rejection or self.recorded!r}"
        assert containing in self._rejection.detail, self._rejection.detail
        return self

    @property
    def recorded(self) -> tuple[Event, ...]:
        """What the last command recorded, stream after stream."""
        return tuple(event for events in self._recorded.values() for event in events)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams to which the last command added events."""
        return tuple(self._recorded)

    def _load(self, ref: Ref, at: datetime) -> Aggregate:
        aggregate = ref.aggregate.empty(ref.stream, at)
        for version, event in enumerate(self._history.get(ref.stream, ()), start=1):
            aggregate.replay(event, version, at)
        return aggregate


def reaction_of(policy: Policy, event: Event, *, id: UUID = FIRST_ID) -> Iterable[Command]:
    """The commands that a policy answers an event with."""
    return tuple(command for _, command in policy.react(recorded(event, id=id)))


def recorded(event: Event, *, id: UUID = FIRST_ID, position: int = 1) -> RecordedEvent[Event]:
    """An event as a log would hold it, for tests of policies and projections."""
    metadata = Metadata(command_id=FIRST_ID, correlation_id=str(FIRST_ID))
    return RecordedEvent(
        data=event, id=id, stream="scenario-1", version=1, position=position, recorded_at=MIDNIGHT, metadata=metadata
    )
