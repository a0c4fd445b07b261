"""Values of columns, read from text."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

import pytest

from query_api.views.values import allowed_values, parse_time, parse_value, schema_of_column, spellings
from schemas.view import View
from streams.database.view_tables import column_type


class Thing(View, name="things", context="stock", key="thing_id"):
    """A thing."""

    thing_id: str
    status: Literal["new", "old"] = "new"


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (UUID, "01940000-0000-7000-8000-000000000001", UUID("01940000-0000-7000-8000-000000000001")),
        (int, "-7", -7),
        (float, "1.5", 1.5),
        (bool, "true", True),
        (datetime, "2026-01-31T12:00:00 01:00", datetime(2026, 1, 31, 11, tzinfo=UTC)),
        (date, "2026-01-31", date(2026, 1, 31)),
        (datetime, "2026-01-31t12:00:00.5z", datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
        (str | None, "x", "x"),
    ],
)
def test_text_becomes_a_value_of_the_columns_type(annotation: Any, text: str, value: object) -> None:
    assert parse_value(column_type(annotation), text) == value


@pytest.mark.parametrize(
    ("annotation", "texts"),
    [
        (UUID, ("x", "{01940000-0000-7000-8000-000000000001}")),
        (int, (str(2**63), "1_0", "\uff11", " 1", "+1", "01", "1.0")),
        (float, ("1_0.5", "\u0661", ".5", "5.", "inf", "nan", "1e400", " 1.5")),
        (bool, ("True", "1", "")),
        (date, ("soon", "20260131", "2026-W05-6", "2026-02-30")),
        (
            datetime,
            ("2026-01-31T12:00:00", "2026-01-31", "20260131T120000Z", "2026-01-31T25:00:00Z", "2026-01-31T12:00:60Z"),
        ),
    ],
)
def test_another_writing_of_a_value_is_an_error(annotation: Any, texts: Sequence[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=r"."):
            parse_value(column_type(annotation), text)


def test_a_time_with_any_offset_is_read_in_utc() -> None:
    assert parse_time("2026-01-31T12:00:00+20:57").isoformat() == "2026-01-30T15:03:00+00:00"
    assert parse_time("0001-01-01T00:00:00+14:00").isoformat() == "0001-01-01T00:00:00+14:00", "UTC has no such year"


@pytest.mark.parametrize(("text", "equal"), [("Jose\u0301", ["Jos\u00e9", "Jose\u0301"]), ("Jos\u00e9", ["Jos\u00e9"])])
def test_a_text_is_equal_to_its_composed_form(text: str, equal: list[str]) -> None:
    assert spellings(column_type(str), text) == equal
    assert spellings(column_type(int), "7") == [7]


def test_each_type_of_column_has_its_schema() -> None:
    shown = [schema_of_column(column_type(one)) for one in (UUID, int, float, bool, datetime, date, str)]

    assert [(one["type"], one.get("format")) for one in shown] == [
        ("string", "uuid"), ("integer", None), ("number", None), ("boolean", None),
        ("string", "date-time"), ("string", "date"), ("string", None),
    ]  # fmt: skip
    assert schema_of_column(column_type(str), ("new", "old")) == {"type": "string", "enum": ["new", "old"]}


def test_the_values_of_a_literal_are_known() -> None:
    assert allowed_values(Thing, "status") == ("new", "old")
    assert allowed_values(Thing, "thing_id") == ()
