"""Storable values: those that the log, the topics, the views and JSON can all hold."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.values.literals import LARGEST, SMALLEST

_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")

_NUL, _SURROGATE, _NUMBER = "contains the character NUL", "contains a lone surrogate", "is a number out of range"
RULES = (_NUL, _SURROGATE, _NUMBER)
"""The words with which the details of faults begin that a value of any JSON may have."""


class Fault(NamedTuple):
    """A value that cannot be stored."""

    path: tuple[str | int, ...]
    """Member names and indexes that lead to it."""
    detail: str

    def inside(self, key: str | int) -> "Fault":
        """Returns the fault as one of the value that holds this one under a key."""
        return Fault((_shown(key) if isinstance(key, str) else key, *self.path), self.detail)


def fault_in(value: Any) -> Fault | None:
    """Returns the first value inside a value that cannot be stored, or ``None``.

    Texts have no NUL and no lone surrogates, integers have 64 bits, other numbers are finite, times have an offset and are in
    the years 1 to 9999 in UTC. Members of models, mappings, lists, tuples and sets are looked into.
    """
    if value is None or value is True or value is False or type(value) is UUID:
        return None
    if isinstance(value, str):
        return _fault_of_text(value)
    if isinstance(value, int):
        within = SMALLEST <= value <= LARGEST
        return None if within else Fault((), f"{_NUMBER}: integers have 64 bits")
    if isinstance(value, float):
        return None if math.isfinite(value) else Fault((), _NUMBER)
    if isinstance(value, BaseModel):
        return _fault_in_members(value)
    if isinstance(value, Mapping):
        return _fault_in_members(value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return _fault_in_members(enumerate(value))
    if isinstance(value, datetime):
        return _fault_of_time(value)
    if isinstance(value, Decimal) and not value.is_finite():
        return Fault((), _NUMBER)
    return None


def check_storable(model: BaseModel) -> None:
    """Raises pydantic's ``ValidationError``, which names the member, if a value in a model cannot be stored."""
    if (fault := fault_in(model)) is not None:
        problem = PydanticCustomError("not_storable", "{detail}", {"detail": fault.detail})
        found = InitErrorDetails(type=problem, loc=fault.path, input=None)
        raise ValidationError.from_exception_data(type(model).__name__, [found], hide_input=True)


def _fault_in_members(members: Iterable[tuple[Any, Any]]) -> Fault | None:
    for key, value in members:
        fault = (_fault_of_text(key) if isinstance(key, str) else None) or fault_in(value)
        if fault is not None:
            return fault.inside(key if isinstance(key, int) else str(key))
    return None


def _fault_of_text(text: str) -> Fault | None:
    found = None if text.isascii() and "\x00" not in text else _NUL_OR_SURROGATE.search(text)
    if found is None:
        return None
    return Fault((), _NUL if found[0] == "\x00" else _SURROGATE)


def _fault_of_time(time: datetime) -> Fault | None:
    if time.utcoffset() is None:
        return Fault((), "is a time without its offset, such as Z")
    try:
        time.astimezone(UTC)
    except OverflowError:
        return Fault((), "is a time outside the years 1 to 9999 in UTC")
    return None


def _shown(key: str) -> str:
    """Returns a member's name in a form that can be sent: lone surrogates are replaced."""
    return key.encode("utf-8", "replace").decode()
