"""Applies events to a projection as the view writer does, one row at a time."""

from typing import Any

from aggregates.scenario import recorded
from projectors.projection import Projection
from schemas.message import Event


def applied(projection: Projection[Any], *events: Event, row: Any = None) -> Any:
    """Returns the row after events of one key; ``row`` is the one before them."""
    for event in events:
        assert type(event) in projection.events
        stored = recorded(event)
        row = projection.apply(projection.new_row(projection.key_of(stored)) if row is None else row, stored)
    return row
