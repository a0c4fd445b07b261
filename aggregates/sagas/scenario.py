"""Given/when/then for sagas: the steps of one saga after each input.

SagaScenario(ONBOARDING).happens(PartnerRequested(...)).sends(CreatePartner(...)).rejects("taken").becomes("failed")
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import NAMESPACE_OID, UUID, uuid5

from aggregates.deciding import LoadedStream, decide
from aggregates.decision import Decision
from aggregates.sagas.decisions import decisions
from aggregates.sagas.definition import SagaDefinition
from aggregates.sagas.saga import SAGA, Saga, saga_id
from aggregates.scenario import MIDNIGHT
from schemas.engine.sagas import (
    AdvanceSaga,
    CancelSaga,
    CommandOutcome,
    RetrySaga,
    SagaAdvanced,
    SagaInput,
    SentCommand,
    Status,
)
from schemas.envelope import CommandEnvelope
from schemas.message import Command, Event

_NAME = "scenario.saga"


class SagaScenario:
    """One saga, from its first event on; time passes only in `waits`."""

    def __init__(self, definition: SagaDefinition[Any], *, at: datetime = MIDNIGHT) -> None:
        self._definition, self._at = definition, at
        self._decisions: dict[type[Command], Decision[Any, Any]] = {d.command: d for d in decisions({_NAME: definition})}
        self._key: str | None = None
        self._version, self.saga = 0, Saga()
        self._in_flight: deque[SentCommand] = deque()
        self._inputs = 0
        self.steps: tuple[SagaAdvanced, ...] = ()
        """The steps that followed from the last input."""

    def happens(self, event: Event, *, id: UUID | None = None, caused_by: UUID | None = None) -> Self:
        """Gives the saga an event; without an ``id`` the event gets a new one."""
        key = self._definition.reactions[type(event)].key_of(event)
        assert key is not None, f"{event.message_name} belongs to no saga"
        self._key = self._key or key
        assert key == self._key, f"{event.message_name} belongs to another saga: {key}"
        data = event.model_dump(mode="json")
        led = None if caused_by is None else str(caused_by)
        return self._input(
            SagaInput(kind="event", id=id or self._id(), name=event.message_name, at=self._at, caused_by=led, data=data)
        )

    def accepts(self) -> Self:
        """Accepts the oldest command in flight."""
        return self._acknowledge(None)

    def rejects(self, why: str) -> Self:
        """Rejects the oldest command in flight."""
        return self._acknowledge(why)

    def waits(self, time: timedelta) -> Self:
        """Moves the time forward; timers fire in the order in which they are due."""
        up_to = self._at + time
        recorded: tuple[SagaAdvanced, ...] = ()
        while due := sorted((at, name) for name, at in self.saga.timers.items() if at <= up_to):
            at, name = due[0]
            self._at = max(self._at, at)
            recorded += self._input(SagaInput(kind="timer", id=self._id(), name=name, at=at)).steps
        self._at, self.steps = up_to, recorded
        return self

    def is_retried(self) -> Self:
        """Retries the saga for an operator; raises `Rejected` if there is nothing to try again."""
        return self._issue(RetrySaga(saga_id=self._saga_id()))

    def is_cancelled(self, reason: str = "no longer wanted") -> Self:
        """Cancels the saga for an operator; raises `Rejected` if it is ending already."""
        return self._issue(CancelSaga(saga_id=self._saga_id(), reason=reason))

    def sends(self, *commands: Command) -> Self:
        """Asserts that exactly these commands were sent after the last input, in this order."""
        sent = [(one.command, one.data) for step in self.steps for one in step.sent]
        expected = [(command.message_name, command.model_dump(mode="json")) for command in commands]
        assert sent == expected, f"sent {sent!r}"
        return self

    def becomes(self, status: Status, *, because: str | None = None) -> Self:
        """Asserts the saga's status and, with ``because``, its reason."""
        assert self.saga.status == status, f"it is {self.saga.status}: {self.saga.reason}"
        assert because is None or because in (self.saga.reason or ""), f"its reason is {self.saga.reason!r}"
        return self

    def has_problem(self, containing: str) -> Self:
        """Asserts that the last step reported a problem."""
        problems = [step.problem for step in self.steps if step.problem is not None]
        assert any(containing in problem for problem in problems), f"its problems are {problems!r}"
        return self

    def _acknowledge(self, rejection: str | None) -> Self:
        assert self._in_flight, "no command is in flight"
        sent = self._in_flight.popleft()
        input = SagaInput(kind="outcome", id=self._id(), name=sent.command, at=self._at)
        kind = None if rejection is None else "rejected"
        return self._input(input, CommandOutcome(number=sent.number, rejection=rejection, kind=kind))

    def _input(self, input: SagaInput, outcome: CommandOutcome | None = None) -> Self:
        assert self._key is not None, "nothing has happened yet"
        return self._issue(AdvanceSaga(saga=_NAME, key=self._key, input=input, outcome=outcome))

    def _issue(self, command: AdvanceSaga | RetrySaga | CancelSaga) -> Self:
        id = self._id()
        envelope = CommandEnvelope(data=command, id=id, at=self._at, correlation_id=str(id))
        loaded = LoadedStream(SAGA, self._saga_id(), self._version, self.saga)
        (change,) = decide(self._decisions[type(command)], envelope, [loaded])
        assert isinstance(change.state, Saga), "the stream is a saga's"
        self._version, self.saga = self._version + len(change.events), change.state
        self.steps = tuple(event for event in change.events if isinstance(event, SagaAdvanced))
        self._in_flight += [sent for step in self.steps for sent in step.sent]
        return self

    def _saga_id(self) -> str:
        assert self._key is not None, "nothing has happened yet"
        return saga_id(_NAME, self._key)

    def _id(self) -> UUID:
        self._inputs += 1
        return uuid5(NAMESPACE_OID, str(self._inputs))
