"""Given/when/then for process managers: what one process makes of what it is told.

SagaScenario(ONBOARDING).happens(PartnerRequested(...)).sends(CreatePartner(...)).rejects("taken").becomes("failed")
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import NAMESPACE_OID, UUID, uuid5

from aggregates.sagas.decisions import decisions
from aggregates.sagas.definition import SagaDefinition
from aggregates.sagas.saga import Process, saga_id
from aggregates.scenario import MIDNIGHT
from schemas.engine.sagas import AdvanceSaga, Answer, CancelSaga, Cause, RetrySaga, SagaAdvanced, Sent, Status
from schemas.envelope import CommandEnvelope
from schemas.message import Command, Event

_KIND = "scenario.process"


class SagaScenario:
    """One process, from its first event on; an hour passes only where `waits` says so."""

    def __init__(self, manager: SagaDefinition[Any], *, at: datetime = MIDNIGHT) -> None:
        self._manager, self._at = manager, at
        self._decisions = {decision.command: decision.decide for decision in decisions({_KIND: manager})}
        self._key: str | None = None
        self._process: Process | None = None
        self._unanswered: deque[Sent] = deque()
        self._told = 0
        self.steps: tuple[SagaAdvanced, ...] = ()
        """What was recorded when it was last told something."""

    @property
    def process(self) -> Process:
        """The process as it stands."""
        assert self._process is not None, "nothing has happened yet"
        return self._process

    def happens(self, event: Event, *, id: UUID | None = None, caused_by: UUID | None = None) -> Self:
        """An event has happened; without an id it is another one than all before."""
        key = self._manager.on[type(event)].key(event)
        assert key is not None, f"{event.message_name} belongs to no process"
        self._key = self._key or key
        assert key == self._key, f"{event.message_name} belongs to another process: {key}"
        data = event.model_dump(mode="json")
        led = None if caused_by is None else str(caused_by)
        return self._tell(
            Cause(kind="event", id=id or self._id(), name=event.message_name, at=self._at, caused_by=led, data=data)
        )

    def accepts(self) -> Self:
        """The oldest command that is not answered is accepted."""
        return self._answer(None)

    def rejects(self, why: str) -> Self:
        """The oldest command that is not answered is rejected."""
        return self._answer(why)

    def waits(self, time: timedelta) -> Self:
        """Time passes; timers that become due are due in their order."""
        up_to = self._at + time
        recorded: tuple[SagaAdvanced, ...] = ()
        while due := sorted((at, name) for name, at in self.process.timers.items() if at <= up_to):
            at, name = due[0]
            self._at = max(self._at, at)
            recorded += self._tell(Cause(kind="timer", id=self._id(), name=name, at=at)).steps
        self._at, self.steps = up_to, recorded
        return self

    def is_retried(self) -> Self:
        """An operator has it tried again; raises `Rejected` where there is nothing to try."""
        return self._issue(RetrySaga(saga_id=self.process.key))

    def is_cancelled(self, reason: str = "no longer wanted") -> Self:
        """An operator has it ended; raises `Rejected` where that cannot be."""
        return self._issue(CancelSaga(saga_id=self.process.key, reason=reason))

    def sends(self, *commands: Command) -> Self:
        """Exactly these commands were sent in the last step, in this order."""
        sent = [(one.command, one.data) for step in self.steps for one in step.sent]
        expected = [(command.message_name, command.model_dump(mode="json")) for command in commands]
        assert sent == expected, f"sent {sent!r}"
        return self

    def becomes(self, status: Status, *, because: str | None = None) -> Self:
        """The process has this status now, and says why where that is asked for."""
        assert self.process.status == status, f"it is {self.process.status}: {self.process.reason}"
        assert because is None or because in (self.process.reason or ""), f"its reason is {self.process.reason!r}"
        return self

    def has_problem(self, containing: str) -> Self:
        """The last step could not do all that it was to do."""
        problems = [step.problem for step in self.steps if step.problem is not None]
        assert any(containing in problem for problem in problems), f"its problems are {problems!r}"
        return self

    def _answer(self, rejection: str | None) -> Self:
        assert self._unanswered, "every command is answered"
        sent = self._unanswered.popleft()
        cause = Cause(kind="answer", id=self._id(), name=sent.command, at=self._at)
        kind = None if rejection is None else "rejected"
        return self._tell(cause, Answer(number=sent.number, rejection=rejection, kind=kind))

    def _tell(self, cause: Cause, answer: Answer | None = None) -> Self:
        assert self._key is not None, "nothing has happened yet"
        return self._issue(AdvanceSaga(process=_KIND, key=self._key, cause=cause, answer=answer))

    def _issue(self, command: AdvanceSaga | RetrySaga | CancelSaga) -> Self:
        if self._process is None:
            assert self._key is not None, "nothing has happened yet"
            self._process = Process.empty(f"process-{saga_id(_KIND, self._key)}", self._at)
        id = self._id()
        issued = CommandEnvelope(data=command, id=id, at=self._at, correlation_id=str(id))
        self._process.decided_at = self._at
        self._decisions[type(command)](issued, self._process)
        self.steps = tuple(event for event in self._process.take_recorded() if isinstance(event, SagaAdvanced))
        self._unanswered += [sent for step in self.steps for sent in step.sent]
        return self

    def _id(self) -> UUID:
        self._told += 1
        return uuid5(NAMESPACE_OID, str(self._told))
