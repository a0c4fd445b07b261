"""Places in a log."""

from datetime import UTC, datetime

import pytest

from deploy.console.places import parse_place
from schemas.errors import Invalid


def test_a_place_is_a_position_a_date_or_a_time() -> None:
    assert parse_place("7", "--from") == 7
    assert parse_place("2026-11-27", "--from") == datetime(2026, 11, 27, tzinfo=UTC)
    assert parse_place("2026-11-27T12:00Z", "--from") == datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "0", "2026-02-31"])
def test_anything_else_is_rejected_with_the_forms_that_are_accepted(text: str) -> None:
    with pytest.raises(Invalid, match=f"--to cannot be '{text}': it takes beginning, head, a position from 1, a date"):
        parse_place(text, "--to", ("beginning", "head"))
