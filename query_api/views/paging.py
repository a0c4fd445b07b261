"""Pages of a list: their limit, their cursors, and the link from one page to the next."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from schemas.errors import Invalid

Row = Mapping[str, Any]

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
"""Rows of a page: unless the request says otherwise, and at most."""
NO_CURSOR = "is not a cursor of this list in this order"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where the next page begins."""

    rows: Sequence[Row]
    next: str | None
    """The cursor of the next page; ``None`` on the last page."""


def parse_limit(text: str, maximum: int = MAX_LIMIT) -> int:
    """Returns a page's limit from text; raises `Invalid`."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) and 1 <= int(text) <= maximum):
        raise invalid_parameter("limit", f"must be a number from 1 to {maximum}")
    return int(text)


def next_link(path: str, parameters: Iterable[tuple[str, str]], cursor: str) -> str:
    """Returns the value of the ``Link`` header that leads to the next page of a path."""
    kept = [(name, value) for name, value in parameters if name != "after"]
    return f'<{quote(path)}?{urlencode([*kept, ("after", cursor)])}>; rel="next"'


def write_cursor(columns: Sequence[str], values: Sequence[Any]) -> str:
    """Returns the cursor of a row: the columns that order the list, and the row's values in them."""
    content = orjson.dumps([list(columns), list(values)], default=str)
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def read_cursor(columns: Sequence[str], cursor: str) -> list[Any]:
    """Returns the values of a cursor; raises `Invalid` if it is not a cursor of a list with this order."""
    try:
        named, values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as error:
        raise invalid_cursor() from error
    if named != list(columns) or not isinstance(values, list) or len(values) != len(columns) or values[-1] is None:
        raise invalid_cursor()
    return values


def invalid_cursor() -> Invalid:
    """Returns the error for a cursor that this list did not give out."""
    return invalid_parameter("after", NO_CURSOR)


def invalid_parameter(name: str, problem: str) -> Invalid:
    """Returns the error for a parameter of a URL, by its name."""
    return Invalid(parameter_rule(name, problem))


def parameter_rule(name: str, problem: str) -> str:
    """Returns what the error for a parameter of a URL says."""
    return f"the parameter {name!r} {problem}"
