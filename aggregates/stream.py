"""Streams: the state that the events of a category add up to, and the ways in which a decision uses a stream."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, overload

from aggregates.state import NoState, State
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured
from schemas.message import Command, Event

S = TypeVar("S", bound=State)

Key = str | Callable[[CommandEnvelope[Any]], str | None] | None
"""The source of a stream's key: a field of the command, a function of it, or ``None`` for the command's own id.

A function that returns ``None`` means that the command names no such stream; the decision gets the initial state.
"""
Expected = Literal["new", "existing", "any"]


class Stream(Generic[S]):
    """A category of streams, each named ``category-key``, with its state and the function that applies events to it.

    ``evolve`` returns the state after one event. It must accept every event of its streams, and never reject one. With
    ``only`` there is one stream of that key. ``noun`` is what errors call it: "there is no contract 4711".
    """

    @overload
    def __init__(self: "Stream[NoState]", category: str, *, only: str | None = None, noun: str | None = None) -> None: ...

    @overload
    def __init__(
        self, category: str, state: type[S], evolve: Callable[[S, Any], S], *, only: str | None = None, noun: str | None = None
    ) -> None: ...

    def __init__(
        self,
        category: str,
        state: type[Any] = NoState,
        evolve: Callable[[Any, Any], Any] | None = None,
        *,
        only: str | None = None,
        noun: str | None = None,
    ) -> None:
        if "-" in category or not category:
            raise Misconfigured(f"{category!r} cannot name a category of streams: use a name without a hyphen")
        self.category, self.state, self.only, self.noun = category, state, only, noun or category
        self.evolve: Callable[[Any, Any], Any] = evolve or (lambda state, _: state)
        self.initial: Any = state()

    def name(self, key: str) -> str:
        """Returns the name of the stream with a key."""
        return f"{self.category}-{key}"

    def key(self, name: str) -> str:
        """Returns the key in the name of one of its streams."""
        return name.removeprefix(f"{self.category}-")

    def fold(self, state: S, events: Iterable[Event]) -> S:
        """Returns the state after some events."""
        for event in events:
            state = self.evolve(state, event)
        return state

    def create(self, key: Key = None) -> "StreamUse[S]":
        """Uses a stream that must not exist; raises `AlreadyExists` if it does. Its state is not passed to the decision."""
        return StreamUse(self, "new", self._key(key), passes_state=False, is_usually_new=True)

    def change(self, key: Key = None) -> "StreamUse[S]":
        """Uses a stream that must exist; raises `Rejected` if it does not. Its state is passed to the decision."""
        return StreamUse(self, "existing", self._key(key))

    def create_or_change(self, key: Key = None, *, usually_new: bool = False) -> "StreamUse[S]":
        """Uses a stream, whether it exists or not. Its state is passed to the decision.

        One that is usually new is decided on before anything is read; if it is not new, it is read and decided again.
        """
        return StreamUse(self, "any", self._key(key), is_usually_new=usually_new)

    def at(self, key: Key = None) -> "StreamUse[S]":
        """Reads a stream, whether it exists or not: its state is passed, and the append fails if it has changed meanwhile."""
        return StreamUse(self, "any", self._key(key))

    def _key(self, key: Key) -> Key:
        only = self.only
        return key if only is None else lambda _: only

    def __repr__(self) -> str:
        return f"Stream({self.category!r})"


@dataclass(frozen=True, slots=True, eq=False)
class StreamUse(Generic[S]):
    """The use of a stream by a decision: its key, its expected version, and whether the decision gets its state."""

    stream: Stream[S]
    expected: Expected
    key: Key
    passes_state: bool = True
    is_usually_new: bool = False

    def records(self, event: Event) -> "EventOf":
        """Marks an event that a decision records in this stream, and not in the one that it is about."""
        return EventOf(self, event)

    def key_of(self, command: CommandEnvelope[Any]) -> str | None:
        """Returns the key of the stream that a command is about; ``None`` if the command names none."""
        if self.key is None:
            return str(command.id)
        return str(getattr(command.data, self.key)) if isinstance(self.key, str) else self.key(command)

    def check(self, command: type[Command]) -> None:
        """Raises `Misconfigured` if the key is a field that the command does not have."""
        if isinstance(self.key, str) and not hasattr(command, self.key) and self.key not in command.model_fields:
            raise Misconfigured(
                f"the decision on {command.__name__} finds the stream {self.stream.category!r} by {self.key!r}, which is no "
                f"field of it; its fields are {', '.join(command.model_fields)}"
            )


@dataclass(frozen=True, slots=True)
class EventOf:
    """An event that a decision records in another stream than the one that it is about."""

    use: StreamUse[Any]
    event: Event
