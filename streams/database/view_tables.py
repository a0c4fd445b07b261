"""The PostgreSQL tables of declared views: columns from the types of fields, and the statements that fill them."""

import hashlib
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Index,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

from schemas.errors import Misconfigured
from schemas.system import ContextName
from schemas.view import View
from streams.database.store import statement, views_schema_name

CHANGED = "changed_in"
"""Column of the engine: the transaction that last changed the row. Live readers follow a view by it."""

_MAX_NAME = 63

DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
_TYPES: Mapping[type, type[TypeEngine[Any]]] = {
    str: Text,
    int: BigInteger,
    float: Double,
    bool: Boolean,
    UUID: Uuid,
    datetime: lambda: DateTime(timezone=True),  # type: ignore[dict-item]
    date: Date,
    dict: JSONB,
    list: JSONB,
    tuple: lambda: ARRAY(Text),  # type: ignore[dict-item]
}


@dataclass(frozen=True, slots=True)
class ViewStatements:
    """The statements that a projection runs on a view's table; rows are one JSON array, keys are one array."""

    lock: str
    """Takes keys; returns the rows that exist, locked in the order of their keys."""
    insert: str
    """Takes new rows; returns the keys of those that no other process has inserted meanwhile."""
    update: str
    delete: str
    read: str
    """Takes keys; returns the rows that exist, not locked, with the transaction that last changed each."""
    commit: str
    """Writes rows and checkpoints in one statement: see ``view_commit.sql``."""


@cache
def table_of(context: ContextName, view: type[View], name: str | None = None) -> Table:
    """Returns a view's table in the schema of its context's views; with a ``name``, a table of the same shape beside it."""
    name = name or view.view_name
    table = Table(name, MetaData(), *_columns(view), schema=views_schema_name(context))
    for group in view.view_indexes:
        columns = [table.c[column] for column in group]
        is_array = any(isinstance(column.type, ARRAY) for column in columns)
        Index(_index_name(name, group), *columns, postgresql_using="gin" if is_array else "btree")
    # A BRIN index allows in-place (HOT) updates of rows; a B-tree on this column would prevent all of them.
    Index(
        _index_name(name, (CHANGED,)),
        table.c[CHANGED],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    return table


@cache
def scratch_table_of(view: type[View]) -> Table:
    """Returns a temporary table of a view's shape, which only its session sees; its only index is that of its key."""
    return Table(f"fresh_{view.view_name}", MetaData(), *_columns(view), schema="pg_temp")


def definition(table: Table) -> list[str]:
    """Returns the statements that create a view's table and its indexes."""
    return [
        sql(CreateTable(table)),
        *(sql(CreateIndex(index)) for index in sorted(table.indexes, key=lambda i: str(i.name))),
    ]


@cache
def statements(table: Table) -> ViewStatements:
    """Returns the statements that fill a view's table."""
    key = next(iter(table.primary_key.columns))
    names = [c.name for c in table.columns]
    keys = parameter("keys", ARRAY(key.type))
    rows = (
        func.json_to_recordset(bindparam("rows", type_=postgresql.JSON))
        .table_valued(*(column(c.name, c.type) for c in table.columns if c.name != CHANGED))
        .render_derived(name="r", with_types=True)
    )
    this_transaction = func.pg_current_xact_id().cast(Text).cast(BigInteger)
    values = [this_transaction if name == CHANGED else rows.c[name] for name in names]
    return ViewStatements(
        lock=sql(select(*_own_columns(table)).where(key == func.any(keys)).order_by(key).with_for_update()),
        insert=sql(
            insert(table).from_select(names, select(*values).order_by(rows.c[key.name])).on_conflict_do_nothing().returning(key)
        ),
        update=sql(
            table.update()
            .where(key == rows.c[key.name])
            .values({name: value for name, value in zip(names, values, strict=True) if name != key.name})
        ),
        delete=sql(delete(table).where(key == func.any(keys))),
        read=sql(select(*table.columns).where(key == func.any(keys))),
        commit=_commit(table),
    )


def _commit(table: Table) -> str:
    quoted = DIALECT.identifier_preparer.quote
    names = [quoted(c.name) for c in _own_columns(table)]
    typed = [f"{quoted(c.name)} {c.type.compile(DIALECT)}" for c in _own_columns(table)]
    ((key, typed_key),) = [(name, kind) for name, kind, c in zip(names, typed, table.columns, strict=False) if c.primary_key]
    parts = {
        "view": f"{quoted(str(table.schema))}.{quoted(table.name)}",
        "columns": ", ".join(names),
        "values": ", ".join(f"changes.{name}" for name in names),
        "typed": ", ".join(typed),
        "key": key,
        "typed_key": typed_key,
    }
    text = statement("view_commit", quoted(str(table.schema)))
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text


@cache
def difference(one: Table, other: Table) -> str:
    """Returns a statement that compares two tables of one shape: the keys whose rows differ, what is missing, and the total."""
    key = next(iter(one.primary_key.columns)).name
    ours, theirs = tuple_(*_own_columns(one)), tuple_(*_own_columns(other))
    return sql(
        select(
            func.coalesce(one.c[key], other.c[key]).cast(Text).label("key"),
            one.c[key].is_(None).label("is_missing"),
            other.c[key].is_(None).label("is_extra"),
            func.count().over().label("total"),
        )
        .select_from(one.join(other, one.c[key] == other.c[key], full=True))
        .where(ours.is_distinct_from(theirs))
        .order_by("key")
        .limit(bindparam("limit", type_=BigInteger))
    )


@cache
def clear(table: Table) -> str:
    """Returns a statement that deletes every row of a view: a projector may delete, but not truncate."""
    return sql(delete(table))


@cache
def identity(table: Table) -> str:
    """Returns a statement that returns the id of the table with a view's name now, even inside an older snapshot."""
    name = DIALECT.identifier_preparer.format_table(table).replace("'", "''")
    return f"select to_regclass('{name}')::oid"


@cache
def count(table: Table) -> str:
    """Returns a statement that counts a view's rows."""
    return sql(select(func.count()).select_from(table))


def column_type(annotation: Any) -> TypeEngine[Any]:
    """Returns the column type of a view field's annotation; raises `Misconfigured` if there is none."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = [argument for argument in get_args(annotation) if argument is not type(None)]
        if len(inner) == 1:
            return column_type(inner[0])
    if origin is Literal:
        return Text()
    if origin is tuple and get_args(annotation) != (str, ...):
        raise Misconfigured(f"a view's array holds texts, as in tuple[str, ...]: {annotation!r} cannot be stored")
    found = _TYPES.get(origin or annotation)
    if found is None:
        raise Misconfigured(
            f"a view cannot store {annotation!r}: use str, int, float, bool, UUID, datetime, date, Literal texts, "
            "tuple[str, ...], list or dict; money is an int of its smallest unit"
        )
    return found()


def parameter(name: str, column_type: TypeEngine[Any]) -> ColumnElement[Any]:
    """Returns a parameter of a statement for values of a column's type, or for arrays of them; they are sent as `sent`."""
    return _typed(lambda type_: bindparam(name, type_=type_), column_type)


def value_of(value: Any, column_type: TypeEngine[Any]) -> ColumnElement[Any]:
    """Returns a value of a column's type, or an array of such values, for a condition."""
    return _typed(lambda type_: literal(sent(value), type_), column_type)


def sent(value: Any) -> Any:
    """Returns a value as a statement gets it: dates and times as text, because the driver sends the last one as infinity."""
    if isinstance(value, list):
        return [sent(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _typed(make: Callable[[TypeEngine[Any]], ColumnElement[Any]], column_type: TypeEngine[Any]) -> ColumnElement[Any]:
    item_type = column_type.item_type if isinstance(column_type, ARRAY) else column_type
    if not isinstance(item_type, Date | DateTime):
        return make(column_type)
    return make(Text() if item_type is column_type else ARRAY(Text)).cast(column_type)


def sql(element: ClauseElement) -> str:
    """Returns a statement as text with ``$1`` parameters, for asyncpg."""
    return str(element.compile(dialect=DIALECT))


def _index_name(table: str, columns: tuple[str, ...]) -> str:
    """Returns an index's name; a long one is cut and gets a digest, because PostgreSQL cuts names at 63 bytes."""
    name = "_".join([table, *columns])
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _columns(view: type[View]) -> list[Column[Any]]:
    columns = [
        Column(name, column_type(field.annotation), primary_key=name == view.view_key)
        for name, field in view.model_fields.items()
    ]
    return [*columns, Column(CHANGED, BigInteger, nullable=False)]


def _own_columns(table: Table) -> list[Column[Any]]:
    return [c for c in table.columns if c.name != CHANGED]
