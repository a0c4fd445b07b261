"""Given/when/then for decisions and policies: the public test kit of this room.

Scenario(DECISIONS).given("rulebook-acme", SchemaRegistered(...)).when(ValidateData(...)).then(DataValidated(...))
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from aggregates.deciding import LoadedStream, decide
from aggregates.decision import Decision, Decisions
from aggregates.policy import Policy
from aggregates.stream import StreamUse
from schemas.envelope import CommandEnvelope, Metadata, RecordedEvent
from schemas.errors import Rejected
from schemas.message import Command, Event

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_ID = UUID("01940000-0000-7000-8000-000000000001")


class Scenario:
    """One decision, from the events before it to those that it records."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions: dict[type[Command], Decision[Any, Any]] = {d.command: d for d in decisions}
        self._history: dict[str, list[Event]] = {}
        self._recorded: dict[str, tuple[Event, ...]] = {}
        self._rejection: Rejected | None = None

    def given(self, stream: str, *events: Event) -> Self:
        """Adds events to a stream's history."""
        self._history.setdefault(stream, []).extend(events)
        return self

    def when(self, command: Command, *, id: UUID = FIRST_ID, at: datetime = MIDNIGHT, actor: str | None = None) -> Self:
        """Decides a command and adds its events to the history, so that ``when`` may follow ``when``."""
        decision = self._decisions[type(command)]
        envelope = CommandEnvelope(data=command, id=id, at=at, correlation_id=str(id), actor=actor)
        self._recorded, self._rejection = {}, None
        try:
            changes = decide(decision, envelope, [self._load(use, envelope) for use in decision.uses])
        except Rejected as rejection:
            self._rejection = rejection
            return self
        self._recorded = {change.loaded.name: change.events for change in changes if change.events}
        for stream, events in self._recorded.items():
            self.given(stream, *events)
        return self

    def then(self, *events: Event) -> Self:
        """Asserts that exactly these events were recorded, in this order."""
        assert self._rejection is None, f"rejected: {self._rejection}"
        assert self.recorded == events, f"recorded {self.recorded!r}"
        return self

    def then_rejected(self, kind: type[Rejected] = Rejected, containing: str = "") -> Self:
        """Asserts that the command was rejected and no event recorded."""
        assert isinstance(self._rejection, kind), f"not rejected with {kind.__name__}: {self._rejection or self.recorded!r}"
        assert containing in self._rejection.detail, self._rejection.detail
        return self

    @property
    def recorded(self) -> tuple[Event, ...]:
        """The events that the last command recorded, stream by stream."""
        return tuple(event for events in self._recorded.values() for event in events)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams to which the last command added events."""
        return tuple(self._recorded)

    def _load(self, use: StreamUse[Any], command: CommandEnvelope[Any]) -> LoadedStream | None:
        if (key := use.key_of(command)) is None:
            return None
        history = self._history.get(use.stream.name(key), [])
        return LoadedStream(use.stream, key, len(history), use.stream.fold(use.stream.initial, history))


def reaction_of(policy: Policy, event: Event, *, id: UUID = FIRST_ID) -> Iterable[Command]:
    """Returns the commands with which a policy reacts to an event."""
    return tuple(command for _, command in policy.react(recorded(event, id=id)))


def recorded(event: Event, *, id: UUID = FIRST_ID, position: int = 1) -> RecordedEvent[Event]:
    """Returns an event as a log would hold it, for tests of policies and projections."""
    metadata = Metadata(command_id=FIRST_ID, correlation_id=str(FIRST_ID))
    return RecordedEvent(
        data=event, id=id, stream="scenario-1", version=1, position=position, recorded_at=MIDNIGHT, metadata=metadata
    )
