"""Decisions about sagas: the steps that follow from an input, for any definition."""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Events
from aggregates.sagas.definition import SagaDefinition, Transition
from aggregates.sagas.saga import SAGA, Saga, evolve, saga_id
from aggregates.sagas.successors import Defer, predecessor
from aggregates.sagas.transitions import Outcome, Step, deferred_by, timeout_timer
from schemas.engine.sagas import AdvanceSaga, CancelSaga, CommandOutcome, RetrySaga, SagaAdvanced, SagaInput, SentCommand
from schemas.envelope import CommandEnvelope
from schemas.errors import NotFound, Rejected, UnexpectedEvent
from schemas.values.storable import check_storable
from schemas.values.times import later, with_offsets

Definitions = Mapping[str, SagaDefinition[Any]]
"""Saga definitions by their full names: ``shop.checkout``."""

_START_TIMEOUT = timedelta(minutes=1)


def decisions(definitions: Definitions) -> Decisions:
    """Returns the decisions about sagas of these definitions."""
    sagas = _Sagas(definitions)
    return (
        Decision(AdvanceSaga, SAGA.create_or_change(_saga_id), sagas.advance),
        Decision(RetrySaga, SAGA.change("saga_id"), sagas.retry),
        Decision(CancelSaga, SAGA.change("saga_id"), sagas.cancel),
    )


def _saga_id(command: CommandEnvelope[AdvanceSaga]) -> str:
    return saga_id(command.data.saga, command.data.key)


class _Sagas:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def advance(self, command: CommandEnvelope[AdvanceSaga], saga: Saga) -> Events:
        """Gives a saga an input, and takes every step that is possible afterwards."""
        data = command.data
        steps = _Steps(self._definition(data.saga), saga, data.saga, data.key)
        match data.input.kind:
            case "outcome" if data.outcome is not None:
                steps.acknowledge(data.input, data.outcome)
            case "timer":
                steps.fire(data.input)
            case _:
                steps.receive(data.input)
        return steps.taken

    def retry(self, command: CommandEnvelope[RetrySaga], saga: Saga) -> Events:
        """Retries failed reactions and compensations; rejected if there are none."""
        steps = self._steps_of(saga)
        steps.retry(_operators("retry", command, ""))
        return steps.taken

    def cancel(self, command: CommandEnvelope[CancelSaga], saga: Saga) -> Events:
        """Starts to compensate the saga's commands; rejected if the saga has ended or is ending."""
        steps = self._steps_of(saga)
        steps.cancel(_operators("cancel", command, command.data.reason))
        return steps.taken

    def _steps_of(self, saga: Saga) -> "_Steps":
        assert saga.definition is not None, "a saga that exists has a definition"
        return _Steps(self._definition(saga.definition), saga, saga.definition, saga.key)

    def _definition(self, name: str) -> SagaDefinition[Any]:
        try:
            return self._definitions[name]
        except KeyError:
            raise NotFound(f"no installed system defines the saga {name}") from None


class _Steps:
    """The steps of one saga that follow from one input."""

    def __init__(self, definition: SagaDefinition[Any], saga: Saga, name: str, key: str) -> None:
        self._definition, self._saga, self._name, self._key = definition, saga, name, key
        self.taken: list[SagaAdvanced] = []

    def receive(self, input: SagaInput) -> None:
        """Takes the step of an event that arrived."""
        if input.id not in self._saga.seen and not self._is_anothers(input):
            self._take(self._step(input, self._reaction(input)))
            self._continue()

    def acknowledge(self, input: SagaInput, outcome: CommandOutcome) -> None:
        """Takes the step of the outcome of a command."""
        sent = self._saga.commands.in_flight.get(outcome.number)
        if sent is not None:
            self._take(self._step(input, self._reaction_to_outcome(sent, input, outcome), outcome))
            self._continue()

    def fire(self, input: SagaInput) -> None:
        """Takes the step of a due timer; one that was moved or cancelled meanwhile is ignored."""
        if self._saga.timers.get(input.name) != input.at:
            return
        deferred = deferred_by(input.name)
        if deferred is None:
            self._take(self._step(input, self._reaction(input)))
            self._continue()
        elif late := self._saga.deferred.get(deferred):
            why = f"{late.input.name} arrived, but no event that it may follow"
            self._take(self._step(late.input, Outcome("failed", why, deferred=True), late.outcome))

    def retry(self, input: SagaInput) -> None:
        """Retries failed reactions and compensations for an operator."""
        if not self._saga.commands.failed_compensations and (self._is_closed() or not self._saga.deferred):
            raise Rejected("there is nothing to try again")
        self._take(self._step(input, Outcome(tries_again=True)))
        self._continue()

    def cancel(self, input: SagaInput) -> None:
        """Ends the saga for an operator."""
        if self._saga.is_ending:
            raise Rejected(f"the saga is {self._saga.status} already")
        self._take(self._step(input, Outcome(ending="cancelled", reason=input.name)))

    def _continue(self) -> None:
        """Takes every possible step; inputs that are deferred when a saga ends stay as they were reported."""
        possible = True
        while possible and not self._is_closed():
            possible = False
            for one in list(self._saga.deferred.values()):
                if one.outcome is None:
                    outcome = self._reaction(one.input)
                else:
                    outcome = self._reaction_to_rejection(one.input, one.outcome)
                step = self._step(one.input, outcome, one.outcome)
                if step.step_status == "handled":
                    self._take(step)
                    possible = True
                    break

    def _take(self, step: SagaAdvanced) -> None:
        self.taken.append(step)
        self._saga = evolve(self._saga, step)

    def _is_anothers(self, input: SagaInput) -> bool:
        """Returns whether an event that comes before the saga's start cannot be the saga's."""
        if not self._definition.events_follow_start or self._saga.state is not None:
            return False
        event = self._definition.event(input.name)
        return event is not None and not self._definition.reactions[event].starts

    def _is_closed(self) -> bool:
        """Returns whether the saga reacts to no further input."""
        return self._definition.ends and self._saga.is_ending

    def _reaction(self, input: SagaInput) -> Outcome:
        if self._is_closed():
            return self._record_only(input)
        if input.kind == "timer":
            due = self._definition.on_timer.get(input.name)
            return _missing(input) if due is None else self._tried(input, lambda: due(self._state(), input))
        event = self._definition.event(input.name)
        if event is None:
            return _missing(input)
        reaction = self._definition.reactions[event]
        if self._saga.state is None and not reaction.starts:
            return self._tried(input, lambda: Defer("the saga has not started", _START_TIMEOUT))
        try:
            follows = self._predecessor(input)
        except UnexpectedEvent as error:
            return Outcome("failed", error.detail, deferred=True)
        if isinstance(follows, Defer):
            return _deferred(input, follows)
        outcome = self._tried(
            input,
            lambda: reaction.react(self._state(), with_offsets(event.model_validate_json(json.dumps(input.data))), input),
        )
        outcome.follows = follows if outcome.transition is not None else None
        return outcome

    def _predecessor(self, input: SagaInput) -> UUID | Defer | None:
        successors = self._definition.successors
        return predecessor(successors, self._saga.handled, input) if successors else None

    def _record_only(self, input: SagaInput) -> Outcome:
        """Returns what is recorded of an input after the end, which changes nothing; an unexpected event is reported."""
        if input.kind != "event":
            return Outcome()
        try:
            follows = self._predecessor(input)
        except UnexpectedEvent as error:
            return Outcome("failed", error.detail)
        if isinstance(follows, Defer):
            return Outcome("failed", f"{follows.why}, and the saga has ended")
        return Outcome(follows=follows)

    def _reaction_to_outcome(self, sent: SentCommand, input: SagaInput, outcome: CommandOutcome) -> Outcome:
        if outcome.rejection is None:
            return Outcome()
        if sent.compensates is not None:
            return Outcome("failed", f"the compensation was rejected: {outcome.rejection}")
        if self._saga.is_ending:
            return Outcome("failed", outcome.rejection)
        return self._reaction_to_rejection(input, outcome)

    def _reaction_to_rejection(self, input: SagaInput, outcome: CommandOutcome) -> Outcome:
        reactions = {command.message_name: react for command, react in self._definition.on_rejected.items()}
        if (react := reactions.get(input.name)) is None:
            reason = f"{input.name} was rejected: {outcome.rejection}"
            return Outcome("failed", outcome.rejection, ending="failed", reason=reason)
        return self._tried(input, lambda: react(self._state(), outcome, input))

    def _tried(self, input: SagaInput, react: Callable[[], Transition[Any] | Defer]) -> Outcome:
        try:
            found = react()
            return Outcome(transition=found) if isinstance(found, Transition) else _deferred(input, found)
        except UnexpectedEvent as error:
            return Outcome("failed", error.detail, deferred=True)
        except Exception as error:
            # A fault in its code must not lose the saga: an operator retries it when the code is repaired.
            return _faulty(error)

    def _state(self) -> Any:
        saga, state = self._saga, self._definition.state
        return state() if saga.state is None else state.read(saga.state_version, saga.state)

    def _references(self, state: Mapping[str, Any] | None, version: int) -> dict[str, str]:
        if state is None:
            return {}
        with suppress(Exception):  # a state that the installed code cannot read is reported as the input's problem
            return self._definition.references_of(self._definition.state.read(version, state))
        return {}

    def _step(self, input: SagaInput, outcome: Outcome, command_outcome: CommandOutcome | None = None) -> SagaAdvanced:
        try:
            step = self._advanced(input, outcome, command_outcome)
            check_storable(step)
            return step
        except Exception as error:  # what the reaction returned cannot be recorded
            return self._advanced(input, _faulty(error), command_outcome)

    def _advanced(self, input: SagaInput, outcome: Outcome, command_outcome: CommandOutcome | None) -> SagaAdvanced:
        step = Step(self._saga, command_outcome)
        step.take(input, outcome)
        return SagaAdvanced(
            saga=self._name,
            key=self._key,
            input=input,
            follows=outcome.follows,
            step_status=outcome.step_status,
            problem=outcome.problem,
            deferred=outcome.deferred and input.kind in ("event", "timer", "outcome"),
            dropped=tuple(step.dropped),
            status=step.status,
            ending=step.ending,
            reason=step.reason,
            state=step.state,
            state_version=step.state_version,
            references=self._references(step.state, step.state_version),
            outcome=command_outcome,
            sent=tuple(step.sent),
            timers_set=step.timers_set,
            timers_cancelled=tuple(step.timers_cancelled),
        )


def _deferred(input: SagaInput, found: Defer) -> Outcome:
    timeout = {} if found.timeout is None else {timeout_timer(input): later(input.at, found.timeout)}
    return Outcome("received", found.why, deferred=True, timeout=timeout)


def _faulty(error: Exception) -> Outcome:
    return Outcome("failed", f"the reaction failed: {type(error).__name__}: {error} ({_place_of(error)})", deferred=True)


def _place_of(error: Exception) -> str:
    """Returns the module and the line of the fault, or of the call of a library; a path of this machine is not recorded."""
    frames = [(frame.f_globals["__name__"], frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [one for one in frames if "site-packages" not in one[1].f_code.co_filename and not _is_of_python(one[0])]
    module, _, line = (own or frames)[-1]
    return f"{module}, line {line}"


def _is_of_python(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _missing(input: SagaInput) -> Outcome:
    return Outcome("failed", f"the installed code does not react to {input.name}", deferred=True)


def _operators(kind: Literal["retry", "cancel"], command: CommandEnvelope[Any], reason: str) -> SagaInput:
    return SagaInput(kind=kind, id=command.id, name=reason, at=command.at)
