"""Reading of one view: a row by its key, pages by filters and order, and the rows that have changed."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, false, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import Select
from sqlalchemy.types import ARRAY, Text

from query_api.views.page_request import Filter, Order, Owner, PageRequest
from query_api.views.paging import Page, Row, invalid_cursor, invalid_parameter, read_cursor, write_cursor
from query_api.views.values import allowed_values, parse_value, spellings
from schemas.errors import SchemaMismatch, TooCostly, ViewOutdated
from schemas.sensitive import encrypted_fields
from schemas.system import ContextName
from schemas.view import View
from streams.database.pools import Connection
from streams.database.store import Store
from streams.database.view_tables import CHANGED, DIALECT, parameter, sent, sql, table_of, value_of
from streams.migrations.view_shapes import wrong_shape

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""How much one page holds, as it is stored: compressed if it is long. The last row may exceed it."""
_FOUND, _BEFORE = "found_rows_", "bytes_before_"
"""Columns of a measured statement: how many rows it has, and the bytes of those before a row."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows of a statement."""

    rows: Sequence[Row]
    is_whole: bool
    """Whether none was left out because of its size."""


class ViewReader:
    """Reads the table of one view. Its rows have the view's fields and no other column of the table.

    Raises `ViewOutdated` if the table lacks a field, and `Unavailable` while the database is out of reach.
    """

    def __init__(self, store: Store, context: ContextName, view: type[View], max_seconds: float = 5.0) -> None:
        """``max_seconds`` is how long a query may take that filters or sorts by columns without an index."""
        self.view, self._store, self._context, self._max_seconds = view, store, context, max_seconds
        self._indexed = {view.view_key, *(group[0] for group in view.view_indexes)}
        self._table: Table = table_of(context, view)
        self._columns = [column for column in self._table.columns if column.name != CHANGED]
        self._encrypted = frozenset(encrypted_fields(view))
        self._key = self._table.c[view.view_key]
        large = [column.name for column in self._columns if isinstance(column.type, Text | JSONB | ARRAY)]
        self._measured = store.sql("view_page")
        self._size = " + ".join(f'coalesce(pg_column_size("{name}"), 0)' for name in large) or "0"
        self._by_key = sql(select(*self._columns).where(self._key == parameter("key", self._key.type)))

    async def get(self, key: str) -> Row | None:
        """Returns the row with a key; ``None`` if there is none, or if the text cannot be a key of the view."""
        try:
            values = spellings(self._key.type, key)
        except ValueError:
            return None
        async with self._connection() as connection:
            for value in values:
                row = await connection.fetchrow(self._by_key, sent(value))
                if row is not None:
                    return dict(row)
        return None

    async def page(self, request: PageRequest) -> Page:
        """Returns a page of rows; one of large rows has fewer than the limit.

        Raises `Invalid` for a filter, an order or a cursor that the view cannot serve, and `TooCostly` if the query takes too
        long because of columns without an index.
        """
        order = [*request.sort, Order(self.view.view_key, request.sort[-1].descending if request.sort else False)]
        found = await self._fetch(self._selection(request, order).limit(request.limit + 1), order, self._without_index(request))
        rows = found.rows[: request.limit]
        if found.is_whole and len(found.rows) == len(rows):
            return Page(rows, None)
        return Page(rows, write_cursor([str(one) for one in order], [rows[-1][one.column] for one in order]))

    async def changed_after(self, transaction: int, limit: int) -> tuple[Sequence[Row], int]:
        """Returns rows that changed after a transaction, oldest first, and the transaction up to which they are complete.

        That transaction is below the one asked for if the database is older than it was: a backup was restored.

        Rows of running transactions are left for the next time, and so are those of every later transaction:

            transactions   101 committed   102 running   103 committed
            horizon                        ^ 102: rows of 101 are returned, complete up to 101
        """
        changed = self._table.c[CHANGED]
        horizon = await self.horizon()
        committed = select(*self._columns, changed).order_by(changed, self._table.c[self.view.view_key])
        order = [Order(CHANGED, False), Order(self.view.view_key, False)]
        found = await self._fetch(committed.where(changed > transaction, changed < horizon).limit(limit), order)
        rows, up_to = found.rows, horizon - 1
        if len(rows) == limit or not found.is_whole:
            # The limit may have cut the newest transaction: it is left for the next time, or read whole if it is the only one.
            newest = rows[-1][CHANGED]
            if newest > rows[0][CHANGED]:
                rows, up_to = [row for row in rows if row[CHANGED] < newest], newest - 1
            else:
                rows, up_to = (await self._fetch(committed.where(changed == newest), order, max_bytes=sys.maxsize)).rows, newest
        return [{name: value for name, value in row.items() if name != CHANGED} for row in rows], up_to

    async def horizon(self) -> int:
        """Returns the oldest transaction that is still running; all before it have ended."""
        async with self._store.connection() as connection:
            return int(await connection.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Lends a connection to a block; raises `ViewOutdated` if the table does not have the view's columns."""
        try:
            async with self._store.connection() as connection:
                yield connection
        except SchemaMismatch as error:
            raise ViewOutdated(wrong_shape(self._context, self.view), error.detail) from error

    def _selection(self, request: PageRequest, order: Sequence[Order]) -> Select[Any]:
        statement = select(*self._columns).where(*(self._condition(one) for one in request.filters))
        if request.owner is not None:
            statement = statement.where(self._is_owned(request.owner))
        if request.after is not None:
            statement = statement.where(self._after_cursor(order, request.after))
        for one in order:
            column = self._sortable(one.column)
            # NULLs come last in both directions: the comparison with a cursor depends on it.
            statement = statement.order_by((column.desc() if one.descending else column.asc()).nulls_last())
        return statement

    def _is_owned(self, owner: Owner) -> ColumnElement[bool]:
        """Returns whether one of the columns holds the subject, compared in the column's own type so that its index serves."""
        owned: list[ColumnElement[bool]] = []
        for column in (self._table.c[name] for name in owner.columns):
            if isinstance(column.type, ARRAY):
                owned.append(_has(column, owner.subject))
                continue
            with suppress(ValueError):
                value = parse_value(column.type, owner.subject)
                if str(value) == owner.subject:
                    owned.append(column == value_of(value, column.type))
        return or_(false(), *owned)

    def _condition(self, filter: Filter) -> ColumnElement[bool]:
        column, (name, operator, text) = self._filterable(filter), filter
        if operator == "has":
            return or_(*(_has(column, one) for one in spellings(Text(), text)))
        texts = text.split(",") if operator == "in" else [text]
        self._check_allowed(name, texts)
        try:
            values = [value for one in texts for value in spellings(column.type, one)]
        except ValueError as error:
            raise invalid_parameter(name, f"cannot be compared with {text!r}: {error}") from error
        if operator == "in" or (operator == "eq" and len(values) > 1):
            return column == value_of(values, ARRAY(column.type)).any_()
        if operator == "ne":
            return and_(*(column.is_distinct_from(value_of(one, column.type)) for one in values))
        return _compared(column, operator, value_of(values[0], column.type))

    def _check_allowed(self, name: str, values: Sequence[str]) -> None:
        """Raises `Invalid` for a value that the column never has: an empty page would not say why it is empty."""
        allowed = allowed_values(self.view, name)
        if allowed and (unknown := sorted(set(values) - set(allowed))):
            raise invalid_parameter(name, f"is one of {', '.join(allowed)}, and never {unknown[0]!r}")

    def _after_cursor(self, order: Sequence[Order], cursor: str) -> ColumnElement[bool]:
        """Returns whether a row comes after the one that a cursor names.

        Ordered by a, b and the key: a is past the cursor's; or a is equal and b is past; or both are equal and the key is past.
        """
        alternatives: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for one, raw in zip(order, read_cursor([str(one) for one in order], cursor), strict=True):
            column = self._column(one.column)
            if raw is None:
                equal.append(column.is_(None))
                continue
            try:
                value = value_of(parse_value(column.type, str(raw).lower() if isinstance(raw, bool) else str(raw)), column.type)
            except ValueError as error:
                raise invalid_cursor() from error
            past = column < value if one.descending else column > value
            alternatives.append(and_(*equal, or_(past, column.is_(None))))
            equal.append(column == value)
        return or_(*alternatives)

    def _filterable(self, filter: Filter) -> ColumnElement[Any]:
        column = self._readable(filter.column)
        if isinstance(column.type, JSONB):
            raise invalid_parameter(filter.column, "holds JSON, which cannot be filtered by")
        if isinstance(column.type, ARRAY) != (filter.operator == "has"):
            name = filter.column
            holds = (
                f"holds a list: use {name}[has]=…" if isinstance(column.type, ARRAY) else "holds no list: [has] is for lists"
            )
            raise invalid_parameter(name, holds)
        return column

    def _sortable(self, name: str) -> ColumnElement[Any]:
        column = self._readable(name, of="sort")
        if isinstance(column.type, JSONB | ARRAY):
            kind = "JSON" if isinstance(column.type, JSONB) else "a list"
            raise invalid_parameter("sort", f"names {name}, which holds {kind} and cannot be sorted by")
        return column

    def _readable(self, name: str, *, of: str | None = None) -> ColumnElement[Any]:
        """Returns a column by which rows may be filtered or sorted; ``of`` is the parameter that names the column."""
        named = "" if of is None else f"names {name}, which "
        if name in self._encrypted:
            raise invalid_parameter(of or name, f"{named}is encrypted: rows cannot be filtered or sorted by it")
        return self._column(name, of=of)

    def _column(self, name: str, *, of: str | None = None) -> ColumnElement[Any]:
        named = "" if of is None else f"names {name}, which "
        if name == CHANGED or name not in self._table.c:
            columns = ", ".join(sorted(self.view.model_fields))
            raise invalid_parameter(
                of or name, f"{named}is not a column of the view {self.view.view_name}, which has {columns}"
            )
        return self._table.c[name]

    def _without_index(self, request: PageRequest) -> list[str]:
        """Returns the columns by which a request filters or sorts and which begin no index."""
        columns = [*(one.column for one in request.filters), *(one.column for one in request.sort)]
        return sorted({column for column in columns if column not in self._indexed})

    async def _fetch(
        self,
        statement: Select[Any],
        order: Sequence[Order],
        without_index: Sequence[str] = (),
        max_bytes: int = MAX_PAGE_BYTES,
    ) -> _Found:
        """Returns the first of a statement's rows, in its order: some ``max_bytes`` of them, at least one if there is any."""
        compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        arguments = [compiled.params[name] for name in compiled.positiontup or ()]
        ordered = ", ".join(f'"{one.column}" {"desc" if one.descending else "asc"} nulls last' for one in order)
        parts = {"size": self._size, "order": ordered, "statement": str(compiled), "max_bytes": max_bytes}
        measured = self._measured.format_map(parts)
        async with self._connection() as connection:
            try:
                # The driver cancels the statement in the server, too.
                rows = list(map(dict, await connection.fetch(measured, *arguments, timeout=self._max_seconds)))
            except TimeoutError as error:
                if not without_index:
                    raise
                indexed = ", ".join(sorted(self._indexed))
                raise TooCostly(
                    f"the query took longer than {self._max_seconds:g} s: {', '.join(without_index)} has no index; "
                    f"also filter by one of {indexed}"
                ) from error
        is_whole = not rows or rows[0][_FOUND] == len(rows)
        for row in rows:
            del row[_FOUND], row[_BEFORE]
        return _Found(rows, is_whole)


def _compared(column: ColumnElement[Any], operator: str, value: ColumnElement[Any]) -> ColumnElement[bool]:
    match operator:
        case "eq":
            return column == value
        case "lt":
            return column < value
        case "lte":
            return column <= value
        case "gt":
            return column > value
        case _:
            return column >= value


def _has(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    # Containment, and not `= any(column)`, which a GIN index does not serve.
    return column.bool_op("@>")(literal([text], column.type))
