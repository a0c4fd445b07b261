"""Views: their derived names, and rows with changed fields."""

import pytest

from schemas.access import Access, RowAccess
from schemas.errors import Misconfigured
from schemas.view import View


class OpenOrders(
    View,
    context="orders",
    key="order_id",
    indexes=("customer", ("state", "order_id")),
    access=Access.to("clerk"),
    rows=RowAccess(("customer",)),
    subject="customer",
    own_paths_only=True,
):
    order_id: str
    customer: str | None = None
    state: str = "open"


class Orders(View, context="orders", key="order_id", name="all_orders"):
    order_id: str


def test_a_view_is_named_by_its_words_unless_a_name_is_pinned() -> None:
    assert (OpenOrders.view_name, Orders.view_name) == ("open_orders", "all_orders")


def test_each_group_of_indexed_columns_is_one_index() -> None:
    assert OpenOrders.view_indexes == (("customer",), ("state", "order_id"))


def test_what_is_declared_with_a_view_is_its_own() -> None:
    assert (OpenOrders.view_access, OpenOrders.view_rows) == (Access.to("clerk"), RowAccess(("customer",)))
    assert (OpenOrders.view_subject, OpenOrders.view_own_paths_only) == ("customer", True)
    assert (Orders.view_access, Orders.view_rows, Orders.view_subject) == (None, None, None)
    assert not Orders.view_own_paths_only


def test_replace_makes_another_row_and_leaves_the_first() -> None:
    row = OpenOrders(order_id="1", customer="ana")

    assert row.replace(state="paid") == OpenOrders(order_id="1", customer="ana", state="paid")
    assert row.state == "open"


def test_replace_names_the_field_that_the_view_does_not_have() -> None:
    with pytest.raises(Misconfigured, match="OpenOrders has no field customr, sate: correct the projection"):
        OpenOrders(order_id="1").replace(sate="paid", customr="ana")
