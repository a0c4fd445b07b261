"""One step of a process: what it knows, sends, takes back and waits for afterwards."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from aggregates.sagas.definition import Next
from aggregates.sagas.saga import Process, SentCommands
from schemas.engine.sagas import ENDED, Answer, Asked, Cause, Sent, Standing
from schemas.message import Command

_PATIENCE = "patience/"


@dataclass(slots=True)
class Outcome:
    """What a process makes of one cause."""

    standing: Standing = "processed"
    problem: str | None = None
    kept: bool = False
    """Whether the cause is to be reacted to later."""
    next: Next[Any] | None = None
    follows: UUID | None = None
    patience: dict[str, datetime] = field(default_factory=dict)
    ending: Literal["failed", "cancelled"] | None = None
    """Set where everything is to be taken back."""
    reason: str | None = None
    tries_again: bool = False
    """Whether what could not be taken back is tried again."""


class Step:
    """What a process will be after a step."""

    def __init__(self, process: Process, answer: Answer | None) -> None:
        self._timers, self._waiting = process.timers, process.waiting
        self._commands: SentCommands = process.sent.copy()
        if answer is not None:
            self._commands.settle(answer)
        self.knows, self.status, self.ending, self.reason = process.knows, process.status, process.ending, process.reason
        self.sent: list[Sent] = []
        self.timers_set: dict[str, datetime] = {}
        self.timers_cancelled: list[str] = []
        self.let_go: list[UUID] = []

    def go_on(self, cause: Cause, outcome: Outcome) -> None:
        """Lets a cause take effect."""
        self.timers_set |= outcome.patience
        if outcome.next is not None:
            self._follow(outcome.next)
        if outcome.ending is not None:
            self.status, self.ending, self.reason = "compensating", outcome.ending, outcome.reason
        if self.status == "compensating" and not self._commands.underway:
            self._take_back(tries_again=outcome.tries_again)
        if self.status in ENDED:
            self.timers_set, self.timers_cancelled = {}, list(self._timers)
        elif (over := self._timer_of(cause)) is not None and over not in self.timers_set:
            self.timers_cancelled.append(over)
        superseded = {*self.timers_set, *self.timers_cancelled}
        self.let_go = [
            id
            for id, (waiting, _) in self._waiting.items()
            if waiting.kind == "timer" and waiting.name in superseded and id != cause.id
        ]

    def _timer_of(self, cause: Cause) -> str | None:
        """The timer that a cause uses up: its own, unless that was set anew meanwhile, or the one that would report it."""
        if cause.kind == "timer":
            return cause.name if self._timers.get(cause.name) == cause.at else None
        patience = patience_timer(cause)
        return patience if patience in self._timers else None

    def _follow(self, next: Next[Any]) -> None:
        self.knows = next.state.model_dump(mode="json")
        for send in next.send:
            self._send(_asked(send.command), undo=None if send.undo is None else _asked(send.undo))
        self.timers_set |= next.set_timers
        self.timers_cancelled += next.cancel_timers
        self.reason = next.reason
        if next.status == "failed":
            self.status, self.ending = "compensating", "failed"
        else:
            self.status = next.status

    def _take_back(self, *, tries_again: bool) -> None:
        """Takes the newest command back that is not taken back yet: the one before it waits for the answer."""
        if self._commands.not_undone and not tries_again:
            return
        if not self._commands.undos:
            assert self.ending is not None, "whatever is taken back ends"
            self.status = self.ending
            return
        newest = max(self._commands.undos)
        self._send(self._commands.undos[newest], undoes=newest)

    def _send(self, asked: Asked, *, undo: Asked | None = None, undoes: int | None = None) -> None:
        number = self._commands.newest + 1
        sent = Sent(command=asked.command, data=asked.data, number=number, undo=undo, undoes=undoes)
        self._commands.add(sent)
        self.sent.append(sent)


def _asked(command: Command) -> Asked:
    return Asked(command=command.message_name, data=command.model_dump(mode="json"))


def patience_timer(waiting: Cause) -> str:
    """The timer at which a cause that waits is reported."""
    return f"{_PATIENCE}{waiting.id}"


def waiting_for(timer: str) -> UUID | None:
    """The cause that a timer reports, if it is one of those."""
    return UUID(timer.removeprefix(_PATIENCE)) if timer.startswith(_PATIENCE) else None
