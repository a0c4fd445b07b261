"""Times: a record's have their offsets, and those of a log can always be compared."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import BaseModel

from schemas.values.times import EARLIEST, LATEST, later, parse_moment, read_moment, with_offsets

NAIVE, NOON = datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 12, tzinfo=UTC)
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


class Visit(BaseModel):
    """A model with times at several places."""

    at: datetime
    on: date = date.max
    others: dict[str, Any] = {}
    inner: "Visit | None" = None


class Quiet(BaseModel):
    """A model without times."""

    on: date = date.min


@pytest.mark.parametrize("text", ["2026-01-01T12:00:00Z", "2026-01-01T14:00:00+02:00"])
def test_a_time_with_its_offset_is_one_in_utc(text: str) -> None:
    assert (parse_moment(text), parse_moment(text).tzinfo) == (NOON, UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T12:00:00", "2026-01-01", "2026-W48-5", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"],
)
def test_a_time_without_an_offset_or_beyond_the_calendar_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text)


def test_stored_times_without_offsets_are_read_as_utc_wherever_they_are() -> None:
    others = {"a": [NAIVE], "b": (NAIVE, 1), "c": {"d": NOON}}

    read = with_offsets(Visit(at=NAIVE, others=others, inner=Visit(at=NAIVE)))

    assert read == Visit(at=NOON, others={"a": [NOON], "b": (NOON, 1), "c": {"d": NOON}}, inner=Visit(at=NOON))
    assert read_moment("2026-01-01T12:00:00") == NOON


def test_stored_times_that_utc_does_not_reach_are_read_as_its_first_and_last() -> None:
    assert with_offsets(Visit(at=datetime.min.replace(tzinfo=EAST))).at == EARLIEST
    assert with_offsets(Visit(at=datetime.max.replace(tzinfo=WEST))).at == LATEST


@pytest.mark.parametrize("model", [Quiet(), Visit(at=NOON, others={"a": [1, "2026-01-01T12:00:00"]})])
def test_a_model_whose_times_can_be_compared_is_read_as_it_is(model: BaseModel) -> None:
    assert with_offsets(model) is model


def test_a_time_does_not_go_beyond_the_last_one() -> None:
    assert later(NOON, timedelta(hours=1)) == NOON + timedelta(hours=1)
    assert later(LATEST - timedelta(hours=1), timedelta(hours=1)) == LATEST
    assert later(LATEST, timedelta(microseconds=1)) == LATEST
    assert later(datetime.max.replace(tzinfo=WEST), timedelta(days=1)) == LATEST
