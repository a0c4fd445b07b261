"""Declarations of systems: a faulty one is named at start, with what to do."""

import pytest

from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataIngested
from schemas.errors import Misconfigured, NotFound
from schemas.system import Context, ContextName, System
from schemas.view import View
from streams.database.store import log_schema, views_schema_name


@pytest.mark.parametrize("text", ["shop", "shop.", ".orders", ""])
def test_the_name_of_a_context_has_two_parts(text: str) -> None:
    assert ContextName.parse("shop.orders") == ContextName("shop", "orders")
    with pytest.raises(NotFound, match="is not a context's name; write it like"):
        ContextName.parse(text)


@pytest.mark.parametrize("name", ["my-system", "Upper", "", "1st", "x" * 28, 'a"b', "a__b", "_a", "a_"])
def test_a_name_must_be_one_that_every_store_can_use(name: str) -> None:
    with pytest.raises(Misconfigured, match="cannot name a system: use at most 27"):
        Catalog.of([System(name, ())])


def test_a_missing_comma_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"the events of the context shop\.orders must be a tuple; is a comma missing"):
        Catalog.of([System("shop", (Context("orders", events=DataIngested),))])  # type: ignore[arg-type]


def test_no_two_contexts_share_a_schema_and_every_schema_has_a_name_that_postgresql_keeps() -> None:
    one, other, longest = ContextName("a_b", "c"), ContextName("a", "b_c"), ContextName("x" * 27, "y" * 27)
    Catalog.of([System(name.system, (Context(name.context),)) for name in (one, other, longest)])

    assert log_schema(one) != log_schema(other)
    assert len(views_schema_name(longest)) == 63


class Shelves(View, context="shelf", key="shelf"):
    shelf: str
    full: bool = False


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (type("Odd", (Shelves,), {}, context="shelves", key="shelf"), "is in the context 'shelves'; the contexts are shelf"),
        (type("Odd", (Shelves,), {}, context="shelf", key="shelv"), "names shelv as key, which it does not have as a field"),
        (type("Odd", (Shelves,), {}, context="shelf", key="full"), "has no default for shelf: every field but the key 'full'"),
        (type("Odd", (Shelves,), {}, context="shelf", key="shelf", indexes=("f",)), "names f as indexes"),
    ],
)
def test_a_view_that_cannot_work_is_noticed_at_start(view: type[View], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        Catalog.of([System("shop", (Context("shelf"),), views=(view,))])


@pytest.mark.parametrize("partitions", [0, -1, 100_000])
def test_a_number_of_partitions_that_no_topic_has_is_rejected(partitions: int) -> None:
    with pytest.raises(Misconfigured, match=rf"shop\.orders has {partitions} partitions: give it 1 to 10000"):
        Catalog.of([System("shop", (Context("orders", partitions=partitions),))])
