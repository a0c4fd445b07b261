"""Histories of streams, and pages of a log's events."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from query_api.audit.history import Selection, bounds, described, history_of, moment, page_of, place
from schemas.data_ingestion.validation import SchemaRegistered
from schemas.errors import Invalid, NotFound
from schemas.system import ContextName
from streams.log.search import Conditions
from tests.unit.query_api.audit.event_log import BEGIN, EventLog


@pytest.fixture
def log() -> EventLog:
    log = EventLog(ContextName("data_ingestion", "validation"))
    for n in range(6):
        log.add(f"rulebook-{'ab'[n % 2]}", SchemaRegistered(partner_id="ab"[n % 2], json_schema={"minProperties": n}))
    return log


async def test_the_history_of_a_stream_is_a_page_by_version(log: EventLog) -> None:
    first, further = await history_of(log, "rulebook-a", 0, 2)
    assert ([event["version"] for event in first], further) == ([1, 2], 2)
    second, further = await history_of(log, "rulebook-a", 2, 2)
    assert ([event["position"] for event in second], further) == ([5], None)
    assert await history_of(log, "rulebook-a", 3, 2) == ([], None)
    with pytest.raises(NotFound, match="no stream 'rulebook-x'"):
        await history_of(log, "rulebook-x", 0, 2)


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (None, None, (0, 6)),
        (3, 5, (2, 5)),
        (3, 99, (2, 6)),
        (BEGIN + timedelta(seconds=3), BEGIN + timedelta(seconds=5), (2, 4)),
    ],
)
async def test_bounds_are_positions_or_times(log: EventLog, begin: Any, end: Any, expected: tuple[int, int]) -> None:
    assert await bounds(log, Selection(begin=begin, end=end)) == expected


async def test_pages_of_a_selection_end_where_the_selection_ends(log: EventLog) -> None:
    selection = Selection(Conditions(stream="rulebook-a"))

    rows, after = await page_of(log, selection, 0, 2)
    assert ([row.position for row in rows], after) == ([1, 3], 3)
    assert after is not None
    rows, after = await page_of(log, selection, after, 2)
    assert ([row.position for row in rows], after) == ([5], None)


def test_an_event_is_shown_as_it_was_recorded(log: EventLog) -> None:
    shown = described(log.rows[0])

    assert (shown["position"], shown["stream"], shown["type"]) == (1, "rulebook-a", "SchemaRegistered")
    assert shown["recorded_at"] == BEGIN + timedelta(seconds=1)


def test_a_place_is_a_position_or_a_time() -> None:
    assert place("7", "from") == 7
    assert place("2026-01-31T12:00:00Z", "from") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    for text in ("0", "-1", "soon", "9" * 19, "2026-01-31T12:00:00"):
        with pytest.raises(Invalid, match="`from` must be a position from 1, or a time such as"):
            place(text, "from")


@pytest.mark.parametrize("text", ["soon", "2026-01-31T12:00:00", "2026-01-31", "20260131T120000Z"])
def test_a_moment_is_a_time_with_its_offset(text: str) -> None:
    with pytest.raises(Invalid, match="`at` must be a time with its offset"):
        moment(text, "at")
