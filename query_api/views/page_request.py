"""A request for a page of a view: filters, order, limit and cursor."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from query_api.views.paging import DEFAULT_LIMIT, invalid_parameter, parse_limit

OPERATORS = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "has")
MAX_SORT_COLUMNS = 8
SORTED_TWICE = "names a column twice"
MAX_FILTERS = 50


class Filter(NamedTuple):
    """A condition that every row of the page meets."""

    column: str
    operator: str
    """One of `OPERATORS`; ``has`` is for columns that hold lists."""
    text: str
    """The value that the column is compared with; for ``in``, values separated by commas."""


class Order(NamedTuple):
    """A column to sort by."""

    column: str
    descending: bool = False

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column


class Owner(NamedTuple):
    """A condition that only rows of one subject meet."""

    columns: tuple[str, ...]
    """One of these holds the subject."""
    subject: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows of a view are asked for."""

    filters: tuple[Filter, ...] = ()
    sort: tuple[Order, ...] = ()
    """The view's key comes last without being named."""
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    """The cursor that the page before gave."""
    owner: Owner | None = None
    """``None``: rows of every subject."""


def parse_page_request(parameters: Iterable[tuple[str, str]], limit: int = DEFAULT_LIMIT) -> PageRequest:
    """Returns what a URL's parameters ask for; a page has at most ``limit`` rows unless they say otherwise.

    They are ``status=valid``, ``received_at[gte]=…``, ``sort=-received_at,name``, ``limit=50`` and ``after=CURSOR``.

    Raises `Invalid`, which names the parameter.
    """
    filters: list[Filter] = []
    sort: tuple[Order, ...] = ()
    after = None
    for name, value in parameters:
        if "\x00" in value or "\x00" in name:
            raise invalid_parameter(name, "contains the character NUL")
        if name == "sort":
            sort = _parse_sort(value)
        elif name == "limit":
            limit = parse_limit(value)
        elif name == "after":
            after = value
        else:
            if len(filters) == MAX_FILTERS:
                raise invalid_parameter(name, f"is one filter too many: at most {MAX_FILTERS} are allowed")
            filters.append(_parse_filter(name, value))
    return PageRequest(tuple(filters), sort, limit, after)


def _parse_sort(text: str) -> tuple[Order, ...]:
    # SQLAlchemy takes time that grows with the square of the number of columns.
    orders = tuple(Order(part.removeprefix("-"), part.startswith("-")) for part in text.split(","))
    if len(orders) > MAX_SORT_COLUMNS:
        raise invalid_parameter("sort", f"names more than {MAX_SORT_COLUMNS} columns")
    if len({order.column for order in orders}) < len(orders):
        raise invalid_parameter("sort", SORTED_TWICE)
    return orders


def _parse_filter(name: str, value: str) -> Filter:
    column, bracket, operator = name.partition("[")
    operator = operator.removesuffix("]") if bracket else "eq"
    if operator not in OPERATORS:
        raise invalid_parameter(name, f"has an unknown operator; use one of {', '.join(OPERATORS)}")
    return Filter(column, operator, value)
