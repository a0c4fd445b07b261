"""Decisions: the function that decides a command, and the streams that it uses."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from aggregates.stream import EventOf, Stream, StreamUse
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured
from schemas.message import Command, Event
from schemas.values.tuples import check_tuple

C = TypeVar("C", bound=Command)
States = ParamSpec("States")

Events = Iterable[Event | EventOf]
"""The events that a decision records, in order: of its own stream, or of others by `StreamUse.records`."""


@dataclass(frozen=True)
class Decision(Generic[C, States]):
    """One command's row in a context's table of decisions.

    ``decide`` gets the command and the states of ``target`` (unless it is created), ``writes`` and ``reads``, in this order. It
    yields events or raises a `Rejected`. It is pure: time and ids are part of the command. All streams
    that it saw are checked when its events are appended: all or none, and only if no stream has moved meanwhile.

    Raises `Misconfigured` if the function does not take these states, or a key is no field of the command.
    """

    command: type[C]
    target: StreamUse[Any]
    """The stream that the command is about, and its receipt."""
    decide: Callable[Concatenate[CommandEnvelope[C], States], Events]
    reads: tuple[StreamUse[Any], ...] = ()
    writes: tuple[StreamUse[Any], ...] = ()
    """Further streams that it may record events in: ``TARGET = ACCOUNT.change("target")``, ``yield TARGET.records(…)``."""

    def __post_init__(self) -> None:
        for what, uses in (("reads", self.reads), ("writes", self.writes)):
            check_tuple(f"the decision on {self.command.__name__}", what, uses)
        for use in self.uses:
            use.check(self.command)
        expected = 1 + sum(use.passes_state for use in self.uses)
        parameters = inspect.signature(self.decide).parameters
        if len(parameters) != expected:
            states = ["command", *(f"the state of {use.stream.category}" for use in self.uses if use.passes_state)]
            raise Misconfigured(
                f"the decision on {self.command.__name__} calls {self.decide.__name__}({', '.join(states)}), but it takes "
                f"{', '.join(parameters) or 'nothing'}"
            )

    @property
    def uses(self) -> tuple[StreamUse[Any], ...]:
        """Every stream that it uses: the target, those that it writes, those that it only reads."""
        return (self.target, *self.writes, *self.reads)

    @property
    def streams(self) -> tuple[Stream[Any], ...]:
        """The categories of the streams that it uses."""
        return tuple(use.stream for use in self.uses)


Decisions = tuple[Decision[Any, Any], ...]
