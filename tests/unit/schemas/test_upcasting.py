"""Upcasting: events of earlier schema versions are read as today's classes."""

from typing import Any

import pytest

from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.message import Event
from schemas.system import Context, ContextName, System
from schemas.upcasting import Upcaster

CONTEXT = ContextName("shop", "orders")


class OrderPlaced(Event, schema_version=3):
    amount_cents: int
    currency: str


def cents(data: dict[str, Any]) -> dict[str, Any]:
    return {"amount_cents": round(data["amount"] * 100)}


def euros(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "currency": "EUR"}


STEPS = (Upcaster("OrderPlaced", 2, euros), Upcaster("OrderPlaced", 1, cents))


def catalog(upcasters: tuple[Upcaster, ...] = STEPS) -> Catalog:
    return Catalog.of([System("shop", (Context("orders", events=(OrderPlaced,), upcasters=upcasters),))])


@pytest.mark.parametrize(
    ("version", "data"),
    [(1, '{"amount": 12.5}'), (2, '{"amount_cents": 1250}'), (3, '{"amount_cents": 1250, "currency": "EUR"}')],
)
def test_every_version_reads_as_todays(version: int, data: str) -> None:
    assert catalog().read_event(CONTEXT, "OrderPlaced", version, data) == OrderPlaced(amount_cents=1250, currency="EUR")


@pytest.mark.parametrize(
    ("version", "data"),
    [(4, "{}"), (0, "{}"), (1, "{}"), (2, '{"amount_cents": "many"}'), (3, '{"amount_cents": 1}'), (3, "not JSON")],
)
def test_an_unreadable_event_is_reported_with_its_name_and_version(version: int, data: str) -> None:
    with pytest.raises(Misconfigured, match=rf"OrderPlaced of shop.orders, schema version {version}"):
        catalog().read_event(CONTEXT, "OrderPlaced", version, data)


@pytest.mark.parametrize(
    "upcasters",
    [
        (),
        STEPS[:1],
        STEPS[1:],
        (*STEPS, STEPS[0]),
        (*STEPS, Upcaster("OrderPlaced", 3, euros)),
        (*STEPS, Upcaster("X", 1, euros)),
    ],
)
def test_every_step_is_there_once_and_none_too_many(upcasters: tuple[Upcaster, ...]) -> None:
    with pytest.raises(Misconfigured, match="upcaster"):
        catalog(upcasters)
