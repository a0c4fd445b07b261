"""Projections: pure folds, view row and event in, view row out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from schemas.envelope import RecordedEvent
from schemas.message import Event
from schemas.view import View

V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class Fold(Generic[V]):
    """How one kind of event changes one row."""

    key: Callable[[RecordedEvent[Any]], Any]
    """The key of the row that the event is about."""
    apply: Callable[[V | None, RecordedEvent[Any]], V | None]
    """The row after the event: ``None`` in where there is none yet, ``None`` out where there is none any more."""


@dataclass(frozen=True, slots=True)
class Projection(Generic[V]):
    """Fills one view from the events of one or more contexts.

    Events of one stream come in order; events of different streams and contexts may come in any order, so a fold must
    not expect the row to have been begun by another. What a package of your own registers is a tuple of these.
    """

    view: type[V]
    folds: Mapping[type[Event], Fold[V]]

    @property
    def name(self) -> str:
        """The view's name; the projection's checkpoints are kept under it."""
        return self.view.view_name
