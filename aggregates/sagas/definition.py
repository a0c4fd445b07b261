"""Saga definitions: the steps of a piece of work through several contexts, and the compensation of a failed one.

Pure: a reaction gets the saga's state and what has happened, and returns the state after it, the commands to send and the
timers to set. The engine does the rest: which commands have an outcome, what has to be compensated, which events are early.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from aggregates.sagas.successors import Defer, Successors
from aggregates.state import State
from schemas.engine.sagas import CommandOutcome, SagaInput
from schemas.errors import Misconfigured
from schemas.message import Command, Event
from schemas.values.tuples import check_not_text

TIMEOUT = "timeout/"
"""Prefix of the engine's own timers, at which deferred inputs are reported."""

S = TypeVar("S", bound=State)
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Send:
    """A command to send."""

    command: Command
    compensation: Command | None = None
    """Sent if the command was accepted and the saga fails or is cancelled, for the newest command first."""


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """The result of a reaction: the next state, commands and timers."""

    state: S
    send: Sequence[Send] = ()
    set_timers: Mapping[str, datetime] = field(default_factory=dict)
    """When each timer is due, by name; one that is set already is moved. Names do not begin with ``timeout/``."""
    cancel_timers: Sequence[str] = ()
    status: Literal["running", "in_review", "completed", "failed"] = "running"
    """``failed`` compensates everything first; ``in_review`` waits for a person's decision."""
    reason: str | None = None

    def __post_init__(self) -> None:
        check_not_text("a Transition", "cancel_timers", self.cancel_timers)


@dataclass(frozen=True, slots=True)
class Reaction(Generic[E]):
    """The reaction of a saga to a kind of event."""

    key: str | Callable[[E], str | None]
    """A field of the event, or a function of it: the key of the saga that it belongs to; ``None`` for no saga."""
    react: Callable[[Any, E, SagaInput], Transition[Any] | Defer]
    """From the state, the event and the input that it arrives as; raises `UnexpectedEvent` if it may not come now."""
    starts: bool = False
    """Whether it starts a saga; an event that does not is deferred until its saga has started."""
    then: Sequence[type[Event]] | None = None
    """Which events may follow it, each once; ``None`` in every reaction if the reactions check the order themselves."""

    def key_of(self, event: Any) -> str | None:
        """Returns the key of the saga that an event belongs to."""
        key = getattr(event, self.key) if isinstance(self.key, str) else self.key(event)
        return None if key is None else str(key)


@dataclass(frozen=True, slots=True)
class SagaDefinition(Generic[S]):
    """One kind of saga.

    Raises `Misconfigured` if two of its events have the same name, no event starts it, a key is no field of its event, or
    only some reactions say which events may follow.
    """

    name: str
    """Unique within its system. Its sagas' streams are kept under it, so a name is not reused for another saga."""
    state: type[S]
    """The state of one saga; its defaults are the state before it starts."""
    reactions: Mapping[type[Event], Reaction[Any]]
    on_rejected: Mapping[type[Command], Callable[[S, CommandOutcome, SagaInput], Transition[S]]] = field(default_factory=dict)
    """The reaction to the rejection of a command; without an entry the saga fails and is compensated."""
    on_timer: Mapping[str, Callable[[S, SagaInput], Transition[S]]] = field(default_factory=dict)
    references: Sequence[str] | Callable[[S], Mapping[str, Any]] = ()
    """Fields of the state, or a function of it: ids of what it is about, by which sagas are looked up."""
    ends: bool = True
    """Whether it ignores events after its end: they are recorded, and not reacted to."""
    events_follow_start: bool = False
    """Whether each of its events follows from its own start. Then an event of a saga that has not started is none of its own
    and is ignored; otherwise it is deferred until the saga starts."""
    may_wait_indefinitely: bool = False
    """Whether it may wait for an event for any time; a saga that may not is reported as stuck after a minute."""
    system: str = ""
    """Set by `Domain.of`."""

    def __post_init__(self) -> None:
        check_not_text(f"the saga {self.name!r}", "references", self.references)
        if len({event.message_name for event in self.reactions}) < len(self.reactions):
            raise Misconfigured(f"two events that the saga {self.name!r} reacts to have the same name")
        if not any(reaction.starts for reaction in self.reactions.values()):
            raise Misconfigured(f"no event starts the saga {self.name!r}: one reaction needs starts=True")
        for event, reaction in self.reactions.items():
            if isinstance(reaction.key, str) and reaction.key not in event.model_fields:
                raise Misconfigured(
                    f"the saga {self.name!r} finds {event.message_name} by {reaction.key!r}, which is no field of it; its "
                    f"fields are {', '.join(event.model_fields)}"
                )
        if reserved := [name for name in self.on_timer if name.startswith(TIMEOUT)]:
            raise Misconfigured(f"the timer {reserved[0]!r} of the saga {self.name!r} begins with {TIMEOUT!r}: rename it")
        following = {event.message_name for reaction in self.reactions.values() for event in reaction.then or ()}
        if self.successors:
            for name in following.union(event.message_name for event in self.reactions):
                if name not in self.successors:
                    raise Misconfigured(
                        f"the saga {self.name!r} does not say which events may follow {name}: then=(…) is missing"
                    )

    @property
    def full_name(self) -> str:
        """``system.saga``. The ids of its sagas depend on it."""
        return f"{self.system}.{self.name}"

    def of(self, system: str) -> "SagaDefinition[S]":
        """Returns this definition as one of a system."""
        return replace(self, system=system)

    @property
    def successors(self) -> Successors:
        """The events that may follow each event, by name; empty if the reactions check the order themselves."""
        return {
            event.message_name: frozenset(one.message_name for one in reaction.then)
            for event, reaction in self.reactions.items()
            if reaction.then is not None
        }

    def event(self, name: str) -> type[Event] | None:
        """Returns the class of an event that it reacts to, by any name that it had."""
        return next((event for event in self.reactions if name in (event.message_name, *event.renamed_from)), None)

    def references_of(self, state: S) -> dict[str, str]:
        """Returns the ids of what a saga is about, by name."""
        found = self.references(state) if callable(self.references) else {n: getattr(state, n) for n in self.references}
        return {name: str(value) for name, value in found.items() if value is not None}
