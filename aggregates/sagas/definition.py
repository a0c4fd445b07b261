"""Process managers: what leads a piece of work through several contexts, and takes back what it did where it cannot end well.

Pure: a reaction gets what the process knows and what has happened, and returns what the process knows then, which commands it
sends and which timers it sets. The engine keeps the rest: which commands are answered, what has to be taken back, who waits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel

from aggregates.sagas.successors import Rules, Wait
from schemas.engine.sagas import Answer, Cause, Standing, Status
from schemas.errors import Misconfigured
from schemas.message import Command, Event

S = TypeVar("S", bound=BaseModel)
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Send:
    """A command that is to be sent."""

    command: Command
    undo: Command | None = None
    """What takes it back: sent if this one was accepted and the process fails or is cancelled, the last one first."""


@dataclass(frozen=True, slots=True)
class Next(Generic[S]):
    """What a process does next."""

    state: S
    send: Sequence[Send] = ()
    set_timers: Mapping[str, datetime] = field(default_factory=dict)
    """When to be told, by name; one that is set already is moved."""
    cancel_timers: Sequence[str] = ()
    status: Literal["running", "in_review", "completed", "failed"] = "running"
    """``failed`` has everything taken back first; ``in_review`` waits for somebody's decision."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class On(Generic[E]):
    """How a process reacts to a kind of event."""

    key: Callable[[E], str | None]
    """Which process an event belongs to; ``None`` for none."""
    react: Callable[[Any, E, Cause], Next[Any] | Wait]
    """From the state, the event and the cause that it comes as; raises `OutsideTheRules` where it may not come now."""
    begins: bool = False
    """Whether a process begins with it; one that does not waits until its process has begun."""


class Ids(NamedTuple):
    """The ids by which a process's clients know what it is about."""

    temporary: str | None = None
    real: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What the clients of a process call how it stands; what is not named is called as here, in capital letters."""

    statuses: Mapping[Status, str] = field(default_factory=dict)
    standings: Mapping[Standing, str] = field(default_factory=dict)

    def status(self, status: Status) -> str:
        return self.statuses.get(status, status.upper())

    def standing(self, standing: Standing) -> str:
        return self.standings.get(standing, standing.upper())


ENGLISH = Words()


@dataclass(frozen=True, slots=True)
class SagaDefinition(Generic[S]):
    """Leads processes of one kind.

    Raises `Misconfigured` where two of its events have the same name, none begins a process, or one has no rule of its own.
    """

    name: str
    """Unique within its system; never reused, because its processes' streams are kept under it."""
    state: type[S]
    """What one process knows; every field has a default, which is what it knows before it begins."""
    on: Mapping[type[Event], On[Any]]
    rules: Rules = field(default_factory=dict)
    """Which event may follow which; without any, its reactions know that for themselves."""
    sends: Iterable[type[Command]] = ()
    """Every command that it may send, those that take back included."""
    on_rejected: Mapping[type[Command], Callable[[S, Answer, Cause], Next[S]]] = field(default_factory=dict)
    """What to do where a command is rejected; a process whose manager does not say so fails."""
    on_timer: Mapping[str, Callable[[S, Cause], Next[S]]] = field(default_factory=dict)
    ids: Callable[[S], Ids] = lambda _: Ids()
    ends: bool = True
    """Whether nothing may follow once it has ended: later events are noted, and not reacted to."""
    words: Words = ENGLISH
    may_rest: bool = False
    """Whether it may wait for an event for as long as that takes; one that may not is told as stuck."""

    def __post_init__(self) -> None:
        if len({event.message_name for event in self.on}) < len(self.on):
            raise Misconfigured(f"two events that the process manager {self.name!r} reacts to have the same name")
        if not any(one.begins for one in self.on.values()):
            raise Misconfigured(f"no event begins a process of {self.name!r}")
        followers = {follower for some in self.rules.values() for follower in some}
        for event in followers.union(self.on if self.rules else ()):
            if event not in self.rules:
                raise Misconfigured(f"the process manager {self.name!r} has no rule for what may follow {event.message_name}")

    def event(self, name: str) -> type[Event] | None:
        """The class of an event that it reacts to."""
        return next((event for event in self.on if event.message_name == name), None)
