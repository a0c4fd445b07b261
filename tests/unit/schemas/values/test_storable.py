"""Storable values: the first one that a store cannot hold is named."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from schemas.values.storable import Fault, check_storable, fault_in

WIDE = "is a number out of range: integers have 64 bits"


class Inner(BaseModel):
    """A model inside another one."""

    values: Any = None


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**63 - 1,
        -(2**63),
        -1.5e308,
        Decimal("1E+400"),
        "\x01é\U0010ffff",
        date.min,
        date.max,
        datetime.max.replace(tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=-12))),
        {"a": [1, {"b": (Inner(values={"c"}),)}], 2: frozenset({3})},
    ],
)
def test_what_every_store_holds_has_no_fault(value: Any) -> None:
    assert fault_in(value) is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (2**63, Fault((), WIDE)),
        (-(2**63) - 1, Fault((), WIDE)),
        (float("inf"), Fault((), "is a number out of range")),
        (float("nan"), Fault((), "is a number out of range")),
        (Decimal("NaN"), Fault((), "is a number out of range")),
        ("a\x00", Fault((), "contains the character NUL")),
        ("\udfff", Fault((), "contains a lone surrogate")),
        (datetime(2026, 1, 1), Fault((), "is a time without its offset, such as Z")),
        (
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
            Fault((), "is a time outside the years 1 to 9999 in UTC"),
        ),
        (
            datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
            Fault((), "is a time outside the years 1 to 9999 in UTC"),
        ),
        (Inner(values={"a": [0, (2**63,)]}), Fault(("values", "a", 1, 0), WIDE)),
        ({"x\ud800": 1}, Fault(("x?",), "contains a lone surrogate")),
        ({"x\x00": 1}, Fault(("x\x00",), "contains the character NUL")),
    ],
)
def test_a_value_that_a_store_cannot_hold_is_named_by_its_path(value: Any, fault: Fault) -> None:
    assert fault_in(value) == fault


def test_a_model_is_checked_as_pydantic_checks_it() -> None:
    check_storable(Inner(values=1))
    with pytest.raises(ValidationError) as raised:
        check_storable(Inner(values={"a": "{detail}\x00"}))
    (found,) = raised.value.errors()
    assert (found["loc"], found["msg"]) == (("values", "a"), "contains the character NUL")
