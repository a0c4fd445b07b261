"""Projection: a pure function that fills one view, row by row, from the events of one or more contexts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

from sqlalchemy import Table

from schemas.envelope import RecordedEvent
from schemas.errors import Misconfigured
from schemas.message import Event
from schemas.system import ContextName
from schemas.view import View
from streams.database.view_tables import column_type, table_of

V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class Projection(Generic[V]):
    """Fills one view.

    ``apply`` gets the row of an event and the event, and returns the row after it, or ``None`` to delete the row. On the
    first event of a key it gets a row that holds the key and the defaults of all other fields.

    The key of the row is the event's field that is called like the view's key. ``key`` takes a function of the recorded
    event if the key is another.

    Events of one stream are applied in order. Events of different streams and contexts are applied in any order, so
    ``apply`` must not expect that the row was started by another event.

    Raises `Misconfigured` if the declaration cannot work.
    """

    view: type[V]
    apply: Callable[[V, RecordedEvent[Any]], V | None]
    events: tuple[type[Event], ...]
    key: Callable[[RecordedEvent[Any]], Any] | None = None
    system: str = ""
    """Given at discovery."""

    def __post_init__(self) -> None:
        _check_events(self.view, self.events)
        if self.key is None:
            for event in self.events:
                _check_key(self.view, event)
        elif not callable(self.key):
            raise Misconfigured(f"The key of the projection of {self.view.__name__} is not a function: remove it or pass one.")

    @property
    def name(self) -> str:
        """The view's name, unique in its system."""
        return self.view.view_name

    @property
    def full_name(self) -> str:
        """``system.view``. The checkpoints of the projection are kept under it."""
        return f"{self.system}.{self.name}"

    @property
    def home(self) -> ContextName:
        """The context on whose read side the view lives."""
        return ContextName(self.system, self.view.view_context)

    def of(self, system: str) -> "Projection[V]":
        """Returns this projection as one of a system."""
        return replace(self, system=system)

    def table(self, name: str | None = None) -> Table:
        """Returns the view's table, with a ``name`` another one of the same shape beside it."""
        view: type[View] = self.view
        return table_of(self.home, view, name)

    def key_of(self, event: RecordedEvent[Any]) -> Any:
        """Returns the key of the row that an event changes."""
        return getattr(event.data, self.view.view_key) if self.key is None else self.key(event)

    def new_row(self, key: Any) -> V:
        """Returns the row before its first event; raises `Misconfigured` if the key is not of the view's type."""
        name = self.view.view_key
        row = self.view(**{name: key})
        if getattr(row, name) != key:
            raise Misconfigured(
                f"The key {key!r} of the projection of {self.view.__name__} is a {type(key).__name__}: return a value of the"
                f" type of {name}."
            )
        return row


def _check_events(view: type[View], events: object) -> None:
    if not isinstance(events, tuple) or not events:
        raise Misconfigured(f"The events of the projection of {view.__name__} are not a tuple of events: is a comma missing?")
    for event in events:
        if not (isinstance(event, type) and issubclass(event, Event)):
            raise Misconfigured(f"The projection of {view.__name__} lists {event!r}, which is not an event class.")
        if events.count(event) > 1:
            raise Misconfigured(f"The projection of {view.__name__} lists {event.__name__} twice: remove one of the two.")


def _check_key(view: type[View], event: type[Event]) -> None:
    name = view.view_key
    if name not in event.model_fields:
        raise Misconfigured(
            f"{event.__name__} has no field {name}, which is the key of {view.__name__}: pass key=, a function of the recorded"
            " event that returns it."
        )
    wanted, found = view.model_fields[name].annotation, event.model_fields[name].annotation
    if _is_optional(found) or type(column_type(found)) is not type(column_type(wanted)):
        raise Misconfigured(
            f"{event.__name__}.{name} is a {_shown(found)}, the key of {view.__name__} is a {_shown(wanted)}: pass key=, a"
            " function of the recorded event that returns the key."
        )


def _is_optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType) and type(None) in get_args(annotation)


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
