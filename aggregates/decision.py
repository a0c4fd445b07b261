"""Decisions: which command is decided by which function, on which aggregates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aggregates.aggregate import Aggregate
from schemas.envelope import CommandEnvelope
from schemas.message import Command

C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Ref:
    """Names one aggregate: its class and its own id."""

    aggregate: type[Aggregate]
    key: str

    @property
    def stream(self) -> str:
        """The stream that holds its events: ``category-key``."""
        return f"{self.aggregate.category}-{self.key}"


@dataclass(frozen=True, slots=True)
class Decision(Generic[C]):
    """One command's row in a context's table of decisions.

    ``about`` names the aggregates that the decision sees, the one that the answer is about first; ``decide`` gets the
    command and those aggregates, records events on any of them or raises a `Rejected`. What it saw, written or only
    read, is checked when its events are appended: all or none, and only if nothing moved meanwhile.
    """

    command: type[C]
    about: Callable[[CommandEnvelope[C]], tuple[Ref, ...]]
    decide: Callable[..., None]
    creates: bool = False
    """Whether the first aggregate is usually new, so that it is worth deciding before anything is read."""


Decisions = tuple[Decision[Any], ...]
