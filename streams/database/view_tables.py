"""The PostgreSQL table of a declared view: columns from the fields' types, and the statements that fill it."""

import types
from collections.abc import Mapping
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
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

from schemas.catalog import ContextName
from schemas.errors import Misconfigured
from schemas.view import View
from streams.database.store import statement, views_schema_name

CHANGED = "changed_in"
"""Column of the engine's: the transaction that last changed the row, by which live readers follow a view."""

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
}


@dataclass(frozen=True, slots=True)
class ViewStatements:
    """SQL that a projection runs on a view's table; rows travel as one JSON array, keys as one array."""

    lock: str
    """Keys → the rows that are there, locked in key order."""
    insert: str
    """Rows that were not there → the keys of those that nobody else has put there meanwhile."""
    update: str
    delete: str
    read: str
    """Keys → the rows that are there, not locked, with the transaction that last changed each."""
    commit: str
    """Rows and checkpoints at once: see ``view_commit.sql``."""


@cache
def table_of(context: ContextName, view: type[View], name: str | None = None) -> Table:
    """A view's table, in the schema of its context's read side; with a ``name``, another one of the same shape beside it."""
    name = name or view.view_name
    table = Table(name, MetaData(), *_columns(view), schema=views_schema_name(context))
    for group in view.view_indexes:
        Index(f"{name}_{'_'.join(group)}", *(table.c[column] for column in group))
    # A BRIN index does not stand in the way of in-place (HOT) updates, a B-tree on this column would stop all of them.
    Index(
        f"{name}_{CHANGED}",
        table.c[CHANGED],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    return table


@cache
def scratch_table_of(view: type[View]) -> Table:
    """A table of a view's shape that its session alone sees, and that goes with it; without indexes but its key's."""
    return Table(f"fresh_{view.view_name}", MetaData(), *_columns(view), schema="pg_temp")


def definition(table: Table) -> list[str]:
    """The statements that make a view's table and its indexes."""
    return [
        sql(CreateTable(table)),
        *(sql(CreateIndex(index)) for index in sorted(table.indexes, key=lambda i: str(i.name))),
    ]


@cache
def statements(table: Table) -> ViewStatements:
    """The statements that fill a view's table."""
    key = next(iter(table.primary_key.columns))
    names = [c.name for c in table.columns]
    keys = bindparam("keys", type_=ARRAY(key.type))
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
    """A statement that compares two tables of a view's shape: each key whose rows differ, whether either has none, how many."""
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
    """A statement that removes a view's every row, as its projector may: one by one."""
    return sql(delete(table))


@cache
def identity(table: Table) -> str:
    """A statement that returns the number of the table that has a view's name now, also within an older snapshot."""
    name = DIALECT.identifier_preparer.format_table(table).replace("'", "''")
    return f"select to_regclass('{name}')::oid"


@cache
def count(table: Table) -> str:
    """A statement that counts a view's rows."""
    return sql(select(func.count()).select_from(table))


def column_type(annotation: Any) -> TypeEngine[Any]:
    """The column type of a view field's annotation; raises `Misconfigured` for one that has none."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = [argument for argument in get_args(annotation) if argument is not type(None)]
        if len(inner) == 1:
            return column_type(inner[0])
    if origin is Literal:
        return Text()
    found = _TYPES.get(origin or annotation)
    if found is None:
        raise Misconfigured(f"a view cannot have a column of type {annotation!r}")
    return found()


def sql(element: ClauseElement) -> str:
    """A statement as text with ``$1`` parameters, as asyncpg takes it."""
    return str(element.compile(dialect=DIALECT))


def _columns(view: type[View]) -> list[Column[Any]]:
    columns = [
        Column(name, column_type(field.annotation), primary_key=name == view.view_key)
        for name, field in view.model_fields.items()
    ]
    return [*columns, Column(CHANGED, BigInteger, nullable=False)]


def _own_columns(table: Table) -> list[Column[Any]]:
    return [c for c in table.columns if c.name != CHANGED]
