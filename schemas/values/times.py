"""Times of messages: read as UTC if a log holds one without its offset, so that times can always be compared."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

M = TypeVar("M", bound=BaseModel)

_TIMELESS = frozenset({str, int, float, bool, type(None), UUID, date})
"""The most frequent types that hold no time."""

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def parse_moment(text: str) -> datetime:
    """Returns an ISO 8601 time in UTC; raises ``ValueError`` if it has no offset, or is outside the years 1 to 9999 in UTC."""
    time = datetime.fromisoformat(text)
    if time.utcoffset() is None:
        raise ValueError("a time needs its offset, such as Z")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is outside the years 1 to 9999 in UTC") from None


def read_moment(text: str) -> datetime:
    """Returns a stored ISO 8601 time, read as `with_offsets` does; raises ``ValueError`` if it is none."""
    return _time(datetime.fromisoformat(text))


def later(time: datetime, by: timedelta) -> datetime:
    """Returns the time that is later by a duration, `LATEST` at most."""
    return time + by if by <= LATEST - time else LATEST


def with_offsets(model: M) -> M:
    """Returns a stored model whose times can be compared: one without an offset is read as UTC.

    A time outside the years 1 to 9999 in UTC is read as the first or the last moment of these years.
    """
    return _model(model) if _may_hold_times(type(model)) else model


@cache
def _may_hold_times(model: type[BaseModel]) -> bool:
    try:
        return "date-time" in json.dumps(model.model_json_schema(), default=str)
    except PydanticInvalidForJsonSchema:
        return True


def _model(model: M) -> M:
    changed = {name: new for name, value in model if (new := _value(value)) is not value}
    return model.model_copy(update=changed) if changed else model


def _value(value: Any) -> Any:
    """Returns a value itself if it holds no other times than those in UTC's range with an offset, else a changed one."""
    if type(value) in _TIMELESS:
        return value
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, BaseModel):
        return _model(value)
    if isinstance(value, dict):
        members = {key: _value(inner) for key, inner in value.items()}
        return members if any(members[key] is not inner for key, inner in value.items()) else value
    if type(value) in (list, tuple, set, frozenset):
        items = [_value(inner) for inner in value]
        return type(value)(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _time(time: datetime) -> datetime:
    if time.utcoffset() is None:
        return time.replace(tzinfo=UTC)
    try:
        time.astimezone(UTC)
    except OverflowError:
        return EARLIEST if time.year == 1 else LATEST
    return time
