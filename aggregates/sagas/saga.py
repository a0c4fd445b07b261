"""The process: one piece of work that a process manager leads, as its steps tell it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from aggregates.aggregate import Aggregate
from aggregates.sagas.successors import Came
from schemas.engine.sagas import ENDED, Answer, Asked, Cause, SagaAdvanced, Sent, Status
from schemas.message import Event

_SAGAS = UUID("c2f0a9a4-6e0e-5d55-9a55-0d3f2f6f5b10")


def saga_id(process: str, key: str) -> str:
    """The id of the process of that kind and key, as everybody is told it."""
    return str(uuid5(_SAGAS, f"{process}/{key}"))


class Waiting(NamedTuple):
    """Something that a process was told and could not react to yet."""

    cause: Cause
    answer: Answer | None


@dataclass(slots=True)
class SentCommands:
    """What has become of the commands that a process sent."""

    underway: dict[int, Sent] = field(default_factory=dict)
    """Those that are not answered, by number."""
    undos: dict[int, Asked] = field(default_factory=dict)
    """What takes accepted ones back, by the number of what is taken back."""
    not_undone: dict[int, str] = field(default_factory=dict)
    """What could not be taken back, and why."""
    newest: int = 0

    def copy(self) -> "SentCommands":
        return SentCommands(dict(self.underway), dict(self.undos), dict(self.not_undone), self.newest)

    def add(self, sent: Sent) -> None:
        """A command is sent."""
        self.underway[sent.number] = sent
        self.newest = max(self.newest, sent.number)
        if sent.undoes is not None:
            self.not_undone.pop(sent.undoes, None)

    def settle(self, answer: Answer) -> None:
        """A command is answered."""
        sent = self.underway.pop(answer.number, None)
        if sent is None:
            return
        if sent.undoes is not None and answer.rejection is None:
            self.undos.pop(sent.undoes, None)
        elif sent.undoes is not None:
            self.not_undone[sent.undoes] = answer.rejection or ""
        elif sent.undo is not None and answer.rejection is None:
            self.undos[sent.number] = sent.undo


class Process(Aggregate):
    """One process: what it knows, what it has sent, and what it could not react to yet. Its key is its saga id."""

    category = "saga"

    def __init__(self) -> None:
        self.kind: str | None = None
        """Full name of its process manager."""
        self.about = ""
        """The key by which its events found it."""
        self.knows: dict[str, Any] | None = None
        self.status: Status = "running"
        self.ending: Status | None = None
        self.reason: str | None = None
        self.seen: set[UUID] = set()
        self.came: dict[UUID, Came] = {}
        """Events that it reacted to, in the order in which they may follow one another."""
        self.waiting: dict[UUID, Waiting] = {}
        """What it is to react to still, in the order in which it came."""
        self.sent = SentCommands()
        self.timers: dict[str, datetime] = {}

    @property
    def has_ended(self) -> bool:
        """Whether it is over."""
        return self.status in ENDED

    @property
    def is_ending(self) -> bool:
        """Whether it is over, or what it did is being taken back."""
        return self.has_ended or self.ending is not None

    def evolve(self, event: Event) -> None:
        assert isinstance(event, SagaAdvanced)
        self.kind, self.about = event.process, event.key
        self.knows, self.status, self.ending, self.reason = event.state, event.status, event.ending, event.reason
        self._evolve_by(event.cause, event.follows, is_done=event.standing == "processed")
        for gone in (event.cause.id, *event.let_go):
            self.waiting.pop(gone, None)
        if event.kept:
            self.waiting[event.cause.id] = Waiting(event.cause, event.answer)
        if event.answer is not None:
            self.sent.settle(event.answer)
        for sent in event.sent:
            self.sent.add(sent)
        for name in event.timers_cancelled:
            self.timers.pop(name, None)
        self.timers |= event.timers_set

    def _evolve_by(self, cause: Cause, follows: UUID | None, *, is_done: bool) -> None:
        if cause.kind == "event":
            self.seen.add(cause.id)
            if is_done:
                self.came[cause.id] = Came(cause.name)
        if is_done and follows is not None:
            self.came[follows].followed_by.add(cause.name)
