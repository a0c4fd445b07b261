"""The desk for processes: which are stuck, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.operations.sagas.desk import LATE, why_stuck

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SENT = {"1": {"name": "book-car", "sent_at": (NOW - LATE - timedelta(seconds=1)).isoformat()}}


def saga(**fields: Any) -> dict[str, Any]:
    """A process that has stood still for as long as it may."""
    idle: dict[str, Any] = {"not_undone": {}, "waiting": {}, "underway": {}, "timers": {}}
    return {"status": "running", "updated_at": NOW - LATE - timedelta(seconds=1), **idle, **fields}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "waits for an event since"),
        ({"underway": SENT}, "book-car has had no answer since"),
        ({"waiting": {"id": {"name": "CarBooked", "problem": "a slip"}}}, "CarBooked: a slip"),
        ({"status": "compensating", "not_undone": {"1": {"name": "give-back", "problem": "closed"}}}, "give-back could not be"),
    ],
)
def test_what_keeps_a_process_from_going_on_is_told(fields: dict[str, Any], why: str) -> None:
    assert (why_stuck(saga(**fields), NOW, may_rest=False) or "").startswith(why)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "completed"},
        {"status": "in_review"},
        {"timers": {"car": NOW.isoformat()}},
        {"updated_at": NOW - LATE / 2},
        {"underway": {"1": {"name": "book-car", "sent_at": NOW.isoformat()}}},
        {"status": "compensating", "underway": {"1": {"name": "x", "sent_at": NOW.isoformat()}}, "waiting": {"id": {}}},
    ],
)
def test_what_goes_on_or_waits_for_somebody_is_not_stuck(fields: dict[str, Any]) -> None:
    assert why_stuck(saga(**fields), NOW, may_rest=False) is None


def test_what_may_rest_may_wait_for_an_event_and_for_nothing_else() -> None:
    assert why_stuck(saga(), NOW, may_rest=True) is None
    assert why_stuck(saga(underway=SENT), NOW, may_rest=True) is not None
