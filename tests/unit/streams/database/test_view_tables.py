"""Tables of views: columns from the types of fields, and the statements that fill them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import pytest

from schemas.errors import Misconfigured
from schemas.system import ContextName
from schemas.view import View
from streams.database.store import views_schema
from streams.database.view_tables import CHANGED, DIALECT, clear, column_type, count, definition, identity, statements, table_of

CONTEXT = ContextName("shop", "orders")


class Orders(View, name="orders", context="orders", key="order_id", indexes=(("buyer",),)):
    order_id: UUID
    buyer: str | None = None
    items: list[str] | None = None
    paid_at: datetime | None = None


@pytest.mark.parametrize(
    ("annotation", "column"),
    [
        (str, "TEXT"),
        (str | None, "TEXT"),
        (Literal["a", "b"], "TEXT"),
        (int, "BIGINT"),
        (bool, "BOOLEAN"),
        (UUID, "UUID"),
        (datetime, "TIMESTAMP WITH TIME ZONE"),
        (dict[str, Any], "JSONB"),
        (list[str], "JSONB"),
    ],
)
def test_a_field_has_the_column_of_its_type(annotation: Any, column: str) -> None:
    assert str(column_type(annotation).compile(DIALECT)) == column


@pytest.mark.parametrize("annotation", [bytes, int | str, complex])
def test_a_type_without_a_column_is_named(annotation: Any) -> None:
    with pytest.raises(Misconfigured, match="a view cannot store"):
        column_type(annotation)


def test_a_views_table_is_in_the_schema_of_its_context() -> None:
    table = table_of(CONTEXT, Orders)
    create, *indexes = definition(table)

    assert f'"{table.schema}"' == views_schema(CONTEXT)
    assert "order_id UUID NOT NULL" in create
    assert "PRIMARY KEY (order_id)" in create
    assert CHANGED in create
    assert len(indexes) == 2
    assert table_of(CONTEXT, Orders, "other").name == "other"


def test_rows_and_keys_travel_as_one_array_each() -> None:
    filling = statements(table_of(CONTEXT, Orders))

    for text in (filling.lock, filling.insert, filling.update, filling.delete, filling.read):
        assert ("$1" in text, "$2" in text) == (True, False)
    assert "{" not in filling.commit


def test_a_view_can_be_counted_cleared_and_identified() -> None:
    table = table_of(CONTEXT, Orders)

    assert count(table).startswith("SELECT count(*)")
    assert clear(table).startswith("DELETE FROM shop")
    assert identity(table).startswith("select to_regclass('shop")
