"""One step of a saga: the state, commands, compensations and timers after it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from aggregates.sagas.definition import TIMEOUT, Transition
from aggregates.sagas.saga import Saga
from schemas.engine.sagas import ENDED, CommandData, CommandOutcome, SagaInput, SentCommand, Status, StepStatus
from schemas.errors import Misconfigured
from schemas.message import Command


@dataclass(slots=True)
class Outcome:
    """The result of giving a saga one input."""

    step_status: StepStatus = "handled"
    problem: str | None = None
    deferred: bool = False
    """Whether the input is to be reacted to later."""
    transition: Transition[Any] | None = None
    follows: UUID | None = None
    timeout: dict[str, datetime] = field(default_factory=dict)
    """The timer at which a deferred input is reported."""
    ending: Literal["failed", "cancelled"] | None = None
    """Set if everything is to be compensated."""
    reason: str | None = None
    tries_again: bool = False
    """Whether rejected compensations are tried again."""


class Step:
    """A saga during a step: its next state, and the effects of the step."""

    def __init__(self, saga: Saga, outcome: CommandOutcome | None) -> None:
        self._timers, self._deferred = saga.timers, saga.deferred
        self._commands = saga.commands if outcome is None else saga.commands.acknowledge(outcome)
        self.state, self.state_version = saga.state, saga.state_version
        self.status: Status = saga.status
        self.ending, self.reason = saga.ending, saga.reason
        self.sent: list[SentCommand] = []
        self.timers_set: dict[str, datetime] = {}
        self.timers_cancelled: list[str] = []
        self.dropped: list[UUID] = []

    def take(self, input: SagaInput, outcome: Outcome) -> None:
        """Applies an input."""
        self.timers_set |= outcome.timeout
        if outcome.transition is not None:
            self._follow(outcome.transition)
        if outcome.ending is not None:
            self.status, self.ending, self.reason = "compensating", outcome.ending, outcome.reason
        if self.status == "compensating" and not self._commands.in_flight:
            self._compensate(tries_again=outcome.tries_again)
        if self.status in ENDED:
            self.timers_set, self.timers_cancelled = {}, list(self._timers)
        elif (over := self._timer_of(input)) is not None and over not in self.timers_set:
            self.timers_cancelled.append(over)
        superseded = {*self.timers_set, *self.timers_cancelled}
        self.dropped = [
            id
            for id, one in self._deferred.items()
            if one.input.kind == "timer" and one.input.name in superseded and id != input.id
        ]

    def _timer_of(self, input: SagaInput) -> str | None:
        """Returns the timer that an input ends: its own, unless that was set again, or the one that would report it."""
        if input.kind == "timer":
            return input.name if self._timers.get(input.name) == input.at else None
        timeout = timeout_timer(input)
        return timeout if timeout in self._timers else None

    def _follow(self, transition: Transition[Any]) -> None:
        self.state = transition.state.model_dump(mode="json")
        self.state_version = type(transition.state).schema_version
        for send in transition.send:
            compensation = None if send.compensation is None else _command_data(send.compensation)
            self._send(_command_data(send.command), compensation=compensation)
        for name, due_at in transition.set_timers.items():
            if name.startswith(TIMEOUT):
                raise Misconfigured(f"a saga set the timer {name!r}: names that begin with {TIMEOUT!r} are the engine's")
            self.timers_set[name] = due_at
        self.timers_cancelled += transition.cancel_timers
        self.reason = transition.reason
        if transition.status == "failed":
            self.status, self.ending = "compensating", "failed"
        else:
            self.status = transition.status

    def _compensate(self, *, tries_again: bool) -> None:
        """Compensates the newest command that is not compensated; the one before it waits for the outcome."""
        if self._commands.failed_compensations and not tries_again:
            return
        if not self._commands.compensations:
            assert self.ending is not None, "a saga that is compensated ends"
            self.status = self.ending
            return
        newest = max(self._commands.compensations)
        self._send(self._commands.compensations[newest], compensates=newest)

    def _send(self, command: CommandData, *, compensation: CommandData | None = None, compensates: int | None = None) -> None:
        sent = SentCommand(
            command=command.command,
            data=command.data,
            number=self._commands.newest + 1,
            compensation=compensation,
            compensates=compensates,
        )
        self._commands = self._commands.add(sent)
        self.sent.append(sent)


def _command_data(command: Command) -> CommandData:
    return CommandData(command=command.message_name, data=command.model_dump(mode="json"))


def timeout_timer(deferred: SagaInput) -> str:
    """Returns the name of the timer at which a deferred input is reported."""
    return f"{TIMEOUT}{deferred.id}"


def deferred_by(timer: str) -> UUID | None:
    """Returns the id of the deferred input that a timer reports; ``None`` for a timer of the saga's own."""
    return UUID(timer.removeprefix(TIMEOUT)) if timer.startswith(TIMEOUT) else None
