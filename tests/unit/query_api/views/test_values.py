"""Values of columns, read from text."""

from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

import pytest

from query_api.views.values import allowed_values, parse_value
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
        (str | None, "x", "x"),
    ],
)
def test_text_becomes_a_value_of_the_columns_type(annotation: Any, text: str, value: object) -> None:
    assert parse_value(column_type(annotation), text) == value


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (UUID, "x"),
        (int, str(2**63)),
        (bool, "True"),
        (datetime, "2026-01-31T12:00:00"),
        (date, "soon"),
        (int, "1_0"),
        (int, "\uff11"),
        (int, " 5"),
        (int, "+5"),
        (float, "1_0"),
        (float, "nan"),
        (float, "inf"),
        (float, "1e400"),
        (UUID, "{01940000-0000-7000-8000-000000000001}"),
        (date, "2026-01-31T12:00:00"),
        (date, "2026-01-31T23:00:00-05:00"),
    ],
)
def test_other_text_is_an_error(annotation: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_value(column_type(annotation), text)


def test_the_values_of_a_literal_are_known() -> None:
    assert allowed_values(Thing, "status") == ("new", "old")
    assert allowed_values(Thing, "thing_id") == ()
