"""Views: filters, sorting and keyset pages over the typed tables that the projectors fill."""

import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Table, and_, bindparam, false, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import Select
from sqlalchemy.types import BigInteger, Boolean, Date, DateTime, Double, Uuid

from query_api.http.parameters import DEFAULT_LIMIT, limit_of, unusable
from schemas.catalog import ContextName
from schemas.errors import Invalid
from schemas.sensitive import encrypted_fields
from schemas.view import View
from streams.database.pools import Databases
from streams.database.view_tables import CHANGED, DIALECT, sql, table_of
from streams.settings import Settings

_OPERATORS = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "has")
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Query:
    """What rows of a view are wanted."""

    filters: tuple[tuple[str, str, str], ...] = ()
    """Column, operator and value as text, all of which must hold."""
    sort: tuple[tuple[str, bool], ...] = ()
    """Columns to sort by, each with whether it descends; the key comes last by itself."""
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    """Cursor of the page before."""
    owner: tuple[tuple[str, ...], str] | None = None
    """Columns, one of which must hold a text: only somebody's own rows."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a view, and how to go on."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None
    """Cursor for the page after this one; ``None`` on the last."""


class ViewReader:
    """Reads one view. Shapes of rows are the declared view's; nothing else of the table shows."""

    def __init__(self, settings: Settings, databases: Databases, context: ContextName, view: type[View]) -> None:
        self.view = view
        self._databases, self._dsn = databases, settings.view_dsn(context)
        self._table: Table = table_of(context, view)
        self._columns = [column for column in self._table.columns if column.name != CHANGED]
        self._encrypted = frozenset(encrypted_fields(view))
        self._key = self._table.c[view.view_key]
        self._by_key = sql(select(*self._columns).where(self._key == bindparam("key", type_=self._key.type)))

    async def get(self, key: str) -> Mapping[str, Any] | None:
        """The row of a key, where there is one."""
        try:
            value = typed(self._key.type, key)
        except ValueError:
            return None
        async with self._databases.connection(self._dsn) as connection:
            row: Mapping[str, Any] | None = await connection.fetchrow(self._by_key, value)
        return row

    async def page(self, query: Query) -> Page:
        """A page of rows; raises `Invalid` for a filter, a sort order or a cursor that makes no sense."""
        for name in (*(name for name, _, _ in query.filters), *(name for name, _ in query.sort)):
            if name in self._encrypted:
                raise unusable(name, "is encrypted: rows are not looked for or sorted by it")
        order = [*query.sort, (self.view.view_key, query.sort[-1][1] if query.sort else False)]
        statement = select(*self._columns).where(*(self._condition(*filter) for filter in query.filters))
        if query.owner is not None:
            statement = statement.where(self._is_owned(*query.owner))
        if query.after is not None:
            statement = statement.where(self._beyond(order, query.after))
        for name, descending in order:
            column = self._column(name)
            if isinstance(column.type, JSONB | ARRAY):
                raise unusable(name, "holds JSON or an array, which cannot be sorted by")
            # NULLs come last either way, which the cursor's comparison relies on.
            statement = statement.order_by((column.desc() if descending else column.asc()).nulls_last())
        rows = await self._fetch(statement.limit(query.limit + 1))
        if len(rows) <= query.limit:
            return Page(rows, None)
        last = rows[query.limit - 1]
        return Page(rows[: query.limit], _cursor(order, [last[name] for name, _ in order]))

    async def changed_after(self, transaction: int, limit: int) -> tuple[Sequence[Mapping[str, Any]], int]:
        """Rows that changed in transactions after one, oldest change first, and the transaction up to which that is all.

        That is below the one asked for where the database is older than it was.

        Only transactions older than every running one are looked at: none of those can commit late any more.
        """
        changed = self._table.c[CHANGED]
        horizon = await self.horizon()
        settled = select(*self._columns, changed).order_by(changed, self._table.c[self.view.view_key])
        rows = await self._fetch(settled.where(changed > transaction, changed < horizon).limit(limit))
        up_to = horizon - 1
        if len(rows) == limit:
            # The newest transaction may be cut: leave it for the next time, or take it whole where it is the only one.
            newest = rows[-1][CHANGED]
            whole = newest > rows[0][CHANGED]
            up_to = newest - 1 if whole else newest
            rows = (
                [row for row in rows if row[CHANGED] < newest] if whole else await self._fetch(settled.where(changed == newest))
            )
        return [{name: value for name, value in row.items() if name != CHANGED} for row in rows], up_to

    async def horizon(self) -> int:
        """The transaction before which nothing changes any more."""
        async with self._databases.connection(self._dsn) as connection:
            return int(await connection.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))

    def _is_owned(self, columns: Sequence[str], subject: str) -> ColumnElement[bool]:
        """Whether one of the columns names a subject; compared as what the columns are, so that their indexes serve."""
        owned: list[ColumnElement[bool]] = []
        for column in (self._table.c[name] for name in columns):
            if isinstance(column.type, ARRAY):
                owned.append(column.any(subject))
                continue
            with suppress(ValueError):
                value = typed(column.type, subject)
                if str(value) == subject:
                    owned.append(column == value)
        return or_(false(), *owned)

    def _condition(self, name: str, operator: str, text: str) -> ColumnElement[bool]:
        column: ColumnElement[Any] = self._column(name)
        if isinstance(column.type, JSONB):
            raise unusable(name, "holds JSON, which cannot be filtered by")
        if isinstance(column.type, ARRAY):
            if operator != "has":
                raise unusable(name, "is an array: ask with [has]")
            return column.contains([text])
        if operator == "has":
            raise unusable(name, "is no array: [has] is for arrays")
        self._check_is_known(name, text.split(",") if operator == "in" else [text])
        try:
            if operator == "in":
                values = [typed(column.type, part) for part in text.split(",")]
                return column == literal(values, ARRAY(column.type)).any_()
            value = literal(typed(column.type, text), column.type)
        except ValueError as error:
            raise unusable(name, f"cannot be compared with {text!r}: {error}") from error
        match operator:
            case "eq":
                return column == value
            case "ne":
                return column.is_distinct_from(value)
            case "lt":
                return column < value
            case "lte":
                return column <= value
            case "gt":
                return column > value
            case _:
                return column >= value

    def _check_is_known(self, name: str, values: Sequence[str]) -> None:
        """Raises `Invalid` for a value that a column never has: nothing would be found, and nobody know why."""
        known = known_values(self.view, name)
        if known and (strange := sorted(set(values) - set(known))):
            raise unusable(name, f"is one of {', '.join(known)}, and never {strange[0]!r}")

    def _beyond(self, order: Sequence[tuple[str, bool]], cursor: str) -> ColumnElement[bool]:
        """Rows after the one that the cursor names: past its first value, or equal there and past the second, and so on."""
        values = _cursor_values(order, cursor)
        alternatives: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for (name, descending), raw in zip(order, values, strict=True):
            column = self._column(name)
            if raw is None:
                equal.append(column.is_(None))
                continue
            try:
                value = literal(typed(column.type, str(raw).lower() if isinstance(raw, bool) else str(raw)), column.type)
            except ValueError as error:
                raise _bad_cursor() from error
            past = column < value if descending else column > value
            alternatives.append(and_(*equal, or_(past, column.is_(None))))
            equal.append(column == value)
        return or_(*alternatives)

    def _column(self, name: str) -> Any:
        if name == CHANGED or name not in self._table.c:
            raise unusable(name, f"is no column of the view {self.view.view_name}")
        return self._table.c[name]

    async def _fetch(self, statement: Select[Any]) -> list[Mapping[str, Any]]:
        compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        arguments = [compiled.params[name] for name in compiled.positiontup or ()]
        async with self._databases.connection(self._dsn) as connection:
            return list(await connection.fetch(str(compiled), *arguments))


def parse_query(parameters: Sequence[tuple[str, str]]) -> Query:
    """A query from a URL's parameters: ``status=valid``, ``received_at[gte]=…``, ``sort=-received_at``, ``limit``, ``after``.

    Raises `Invalid`, naming the parameter.
    """
    filters: list[tuple[str, str, str]] = []
    sort: tuple[tuple[str, bool], ...] = ()
    limit, after = DEFAULT_LIMIT, None
    for name, value in parameters:
        if "\x00" in value or "\x00" in name:
            raise unusable(name, "contains the character NUL")
        if name == "sort":
            sort = tuple((part.lstrip("-"), part.startswith("-")) for part in value.split(","))
        elif name == "limit":
            limit = limit_of(value)
        elif name == "after":
            after = value
        else:
            column, bracket, operator = name.partition("[")
            operator = operator.removesuffix("]") if bracket else "eq"
            if operator not in _OPERATORS:
                raise unusable(name, f"is compared by one of {', '.join(_OPERATORS)}")
            filters.append((column, operator, value))
    return Query(tuple(filters), sort, limit, after)


def known_values(view: type[View], column: str) -> tuple[str, ...]:
    """The values that a column may have, where they are few and declared; else nothing."""
    annotation = view.model_fields[column].annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def typed(column_type: Any, text: str) -> Any:
    """Text as a value of a column's type; raises ``ValueError``."""
    if isinstance(column_type, Uuid):
        return UUID(text)
    if isinstance(column_type, BigInteger):
        number = int(text)
        if not _SMALLEST <= number <= _LARGEST:
            raise ValueError("an integer has 64 bits")
        return number
    if isinstance(column_type, Double):
        return float(text)
    if isinstance(column_type, Boolean):
        if text not in ("true", "false"):
            raise ValueError("it is either true or false")
        return text == "true"
    if isinstance(column_type, DateTime):
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        if moment.tzinfo is None:
            raise ValueError("a time needs its offset, such as Z")
        return moment
    if isinstance(column_type, Date):
        return datetime.fromisoformat(text).date()
    return text


def _cursor(order: Sequence[tuple[str, bool]], values: Sequence[Any]) -> str:
    content = orjson.dumps([[f"-{name}" if down else name for name, down in order], list(values)], default=str)
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _cursor_values(order: Sequence[tuple[str, bool]], cursor: str) -> list[Any]:
    try:
        names, values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as error:
        raise _bad_cursor() from error
    wanted = [f"-{name}" if down else name for name, down in order]
    if names != wanted or not isinstance(values, list) or len(values) != len(names) or values[-1] is None:
        raise _bad_cursor()
    return values


def _bad_cursor() -> Invalid:
    return unusable("after", "is not a cursor of this list in this order")
