"""Decisions about processes: what each makes of what it is told, whatever its manager."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Ref
from aggregates.sagas.definition import Ids, Next, SagaDefinition
from aggregates.sagas.saga import Process, saga_id
from aggregates.sagas.successors import Wait, predecessor
from aggregates.sagas.transitions import Outcome, Step, patience_timer, waiting_for
from schemas.engine.sagas import AdvanceSaga, Answer, CancelSaga, Cause, RetrySaga, SagaAdvanced, Sent
from schemas.envelope import CommandEnvelope
from schemas.errors import NotFound, OutsideTheRules, Rejected

Managers = Mapping[str, SagaDefinition[Any]]
"""Process managers by name, with their system's: ``partner_alliances.onboarding``."""

_LONGEST_BEGINNING = timedelta(minutes=1)


def decisions(managers: Managers) -> Decisions:
    """What is decided about processes, for these kinds of them."""
    telling = _Telling(managers)
    return (
        Decision(AdvanceSaga, _told, telling.advance),
        Decision(RetrySaga, _named, telling.retry),
        Decision(CancelSaga, _named, telling.cancel),
    )


def _told(issued: CommandEnvelope[AdvanceSaga]) -> tuple[Ref, ...]:
    return (Ref(Process, saga_id(issued.data.process, issued.data.key)),)


def _named(issued: CommandEnvelope[RetrySaga] | CommandEnvelope[CancelSaga]) -> tuple[Ref, ...]:
    return (Ref(Process, issued.data.saga_id),)


class _Telling:
    def __init__(self, managers: Managers) -> None:
        self._managers = managers

    def advance(self, issued: CommandEnvelope[AdvanceSaga], process: Process) -> None:
        """Takes a process one step further, and every step that has become possible by that."""
        command = issued.data
        steps = _Steps(self._manager(command.process), process, command.process, command.key)
        match command.cause.kind:
            case "answer" if command.answer is not None:
                steps.answered(command.cause, command.answer)
            case "timer":
                steps.timed(command.cause)
            case _:
                steps.happened(command.cause)

    def retry(self, issued: CommandEnvelope[RetrySaga], process: Process) -> None:
        """Tries again what could not be reacted to or taken back; rejected where there is nothing of that."""
        self._steps_of(process).retried(_operators("retry", issued, ""))

    def cancel(self, issued: CommandEnvelope[CancelSaga], process: Process) -> None:
        """Begins to take back what the process did; rejected where it has ended, or is ending already."""
        self._steps_of(process).cancelled(_operators("cancel", issued, issued.data.reason))

    def _steps_of(self, process: Process) -> "_Steps":
        if process.kind is None:
            raise Rejected(f"there is no process {process.key}")
        return _Steps(self._manager(process.kind), process, process.kind, process.about)

    def _manager(self, name: str) -> SagaDefinition[Any]:
        try:
            return self._managers[name]
        except KeyError:
            raise NotFound(f"no installed system has a process manager {name}") from None


class _Steps:
    """Steps of one process, recorded as they are taken."""

    def __init__(self, manager: SagaDefinition[Any], process: Process, kind: str, about: str) -> None:
        self._manager, self._process, self._kind, self._about = manager, process, kind, about

    def happened(self, cause: Cause) -> None:
        """An event has happened."""
        if cause.id not in self._process.seen:
            self._record(cause, self._reaction(cause))
            self._go_on()

    def answered(self, cause: Cause, answer: Answer) -> None:
        """A command was answered."""
        sent = self._process.sent.underway.get(answer.number)
        if sent is not None:
            self._record(cause, self._reaction_to_answer(sent, cause, answer), answer)
            self._go_on()

    def timed(self, cause: Cause) -> None:
        """A timer is due; one that was moved or cancelled meanwhile is let go."""
        if self._process.timers.get(cause.name) != cause.at:
            return
        waiting = waiting_for(cause.name)
        if waiting is None:
            self._record(cause, self._reaction(cause))
            self._go_on()
        elif late := self._process.waiting.get(waiting):
            why = f"{late.cause.name} came, and nothing before it that it may follow"
            self._record(late.cause, Outcome("failed", why, kept=True), late.answer)

    def retried(self, cause: Cause) -> None:
        """An operator wants it tried again."""
        if not self._process.sent.not_undone and (self._is_closed() or not self._process.waiting):
            raise Rejected("there is nothing to try again")
        self._record(cause, Outcome(tries_again=True))
        self._go_on()

    def cancelled(self, cause: Cause) -> None:
        """An operator wants it ended."""
        if self._process.is_ending:
            raise Rejected(f"the process is {self._process.status} already")
        self._record(cause, Outcome(ending="cancelled", reason=cause.name))

    def _go_on(self) -> None:
        """Takes every step that has become possible; what waits when a process ends stays as it was reported."""
        possible = True
        while possible and not self._is_closed():
            possible = False
            for cause, answer in list(self._process.waiting.values()):
                outcome = self._reaction(cause) if answer is None else self._reaction_to_rejection(cause, answer)
                step = self._step(cause, outcome, answer)
                if step.standing == "processed":
                    self._process.record(step)
                    possible = True
                    break

    def _is_closed(self) -> bool:
        """Whether nothing is reacted to any more."""
        return self._manager.ends and self._process.is_ending

    def _reaction(self, cause: Cause) -> Outcome:
        process, manager = self._process, self._manager
        if self._is_closed():
            return self._note(cause)
        if cause.kind == "timer":
            due = manager.on_timer.get(cause.name)
            return _missing(cause) if due is None else self._tried(cause, lambda: due(self._state(), cause))
        event = manager.event(cause.name)
        if event is None:
            return _missing(cause)
        on = manager.on[event]
        if process.knows is None and not on.begins:
            return self._tried(cause, lambda: Wait("the process has not begun", _LONGEST_BEGINNING))
        follows: UUID | Wait | None = None

        def react() -> Next[Any] | Wait:
            nonlocal follows
            if manager.rules and isinstance(follows := predecessor(manager.rules, process.came, cause), Wait):
                return follows
            return on.react(self._state(), event.model_validate_json(json.dumps(cause.data)), cause)

        outcome = self._tried(cause, react)
        outcome.follows = follows if isinstance(follows, UUID) and outcome.next is not None else None
        return outcome

    def _note(self, cause: Cause) -> Outcome:
        """What comes after the end changes nothing; what the rules do not allow even so is told."""
        if cause.kind != "event" or not self._manager.rules:
            return Outcome()
        try:
            follows = predecessor(self._manager.rules, self._process.came, cause)
        except OutsideTheRules as error:
            return Outcome("failed", error.detail)
        if isinstance(follows, Wait):
            return Outcome("failed", f"{follows.why}, and the process has ended")
        return Outcome(follows=follows)

    def _reaction_to_answer(self, sent: Sent, cause: Cause, answer: Answer) -> Outcome:
        if answer.rejection is None:
            return Outcome()
        if sent.undoes is not None:
            return Outcome("failed", f"it could not be taken back: {answer.rejection}")
        if self._process.is_ending:
            return Outcome("failed", answer.rejection)
        return self._reaction_to_rejection(cause, answer)

    def _reaction_to_rejection(self, cause: Cause, answer: Answer) -> Outcome:
        rejected = {command.message_name: react for command, react in self._manager.on_rejected.items()}.get(cause.name)
        if rejected is None:
            return Outcome("failed", answer.rejection, ending="failed", reason=f"{cause.name} was rejected: {answer.rejection}")
        return self._tried(cause, lambda: rejected(self._state(), answer, cause))

    def _tried(self, cause: Cause, react: Callable[[], Next[Any] | Wait]) -> Outcome:
        try:
            found = react()
            if isinstance(found, Next):
                return Outcome(next=found)
            until = {} if found.patience is None else {patience_timer(cause): cause.at + found.patience}
            return Outcome("received", found.why, kept=True, patience=until)
        except OutsideTheRules as error:
            return Outcome("failed", error.detail, kept=True)
        except Exception as error:
            # Whoever mends the code has it tried again; a process must not be lost for a slip in it.
            return _broke_down(error)

    def _state(self) -> Any:
        return self._as_state(self._process.knows)

    def _as_state(self, knows: Mapping[str, Any] | None) -> Any:
        return self._manager.state() if knows is None else self._manager.state.model_validate_json(json.dumps(knows))

    def _ids(self, knows: Mapping[str, Any] | None) -> Ids:
        with suppress(Exception):  # a state that the installed code cannot read is told as the cause's problem
            return self._manager.ids(self._as_state(knows))
        return Ids()

    def _record(self, cause: Cause, outcome: Outcome, answer: Answer | None = None) -> None:
        self._process.record(self._step(cause, outcome, answer))

    def _step(self, cause: Cause, outcome: Outcome, answer: Answer | None) -> SagaAdvanced:
        try:
            return self._following(cause, outcome, answer)
        except Exception as error:  # what the reaction returned cannot be recorded
            return self._following(cause, _broke_down(error), answer)

    def _following(self, cause: Cause, outcome: Outcome, answer: Answer | None) -> SagaAdvanced:
        step, words = Step(self._process, answer), self._manager.words
        step.go_on(cause, outcome)
        ids = self._ids(step.knows)
        return SagaAdvanced(
            process=self._kind,
            key=self._about,
            cause=cause,
            follows=outcome.follows,
            standing=outcome.standing,
            standing_shown=words.standing(outcome.standing),
            problem=outcome.problem,
            kept=outcome.kept and cause.kind in ("event", "timer", "answer"),
            let_go=tuple(step.let_go),
            status=step.status,
            status_shown=words.status(step.status),
            ending=step.ending,
            reason=step.reason,
            state=step.knows,
            answer=answer,
            sent=tuple(step.sent),
            timers_set=step.timers_set,
            timers_cancelled=tuple(step.timers_cancelled),
            temporary_id=ids.temporary,
            real_id=ids.real,
        )


def _broke_down(error: Exception) -> Outcome:
    return Outcome("failed", f"the reaction broke down: {type(error).__name__}: {error}", kept=True)


def _missing(cause: Cause) -> Outcome:
    return Outcome("failed", f"the installed code does not react to {cause.name}", kept=True)


def _operators(kind: Literal["retry", "cancel"], issued: CommandEnvelope[Any], reason: str) -> Cause:
    return Cause(kind=kind, id=issued.id, name=reason, at=issued.at)
