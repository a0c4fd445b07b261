"""Which sagas are stuck, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.operations.sagas.desk import LATE, why_stuck

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SENT = {"1": {"name": "book-car", "sent_at": (NOW - LATE - timedelta(seconds=1)).isoformat()}}


def saga(**fields: Any) -> dict[str, Any]:
    """A saga that has been idle for as long as it may."""
    idle: dict[str, Any] = {"failed_compensations": {}, "deferred": {}, "in_flight": {}, "timers": {}}
    return {"status": "running", "updated_at": NOW - LATE - timedelta(seconds=1), **idle, **fields}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "waits for an event since"),
        ({"in_flight": SENT}, "book-car has had no answer since"),
        ({"deferred": {"id": {"name": "CarBooked", "problem": "a fault"}}}, "CarBooked: a fault"),
        (
            {"status": "compensating", "failed_compensations": {"1": {"name": "give-back", "problem": "closed"}}},
            "give-back could not be",
        ),
    ],
)
def test_a_stuck_saga_says_why(fields: dict[str, Any], why: str) -> None:
    assert (why_stuck(saga(**fields), NOW, may_wait=False) or "").startswith(why)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "completed"},
        {"status": "in_review"},
        {"timers": {"car": NOW.isoformat()}},
        {"updated_at": NOW - LATE / 2},
        {"in_flight": {"1": {"name": "book-car", "sent_at": NOW.isoformat()}}},
        {"status": "compensating", "in_flight": {"1": {"name": "x", "sent_at": NOW.isoformat()}}, "deferred": {"id": {}}},
    ],
)
def test_a_saga_at_work_or_in_review_is_not_stuck(fields: dict[str, Any]) -> None:
    assert why_stuck(saga(**fields), NOW, may_wait=False) is None


def test_a_saga_that_may_wait_waits_for_an_event_and_for_nothing_else() -> None:
    assert why_stuck(saga(), NOW, may_wait=True) is None
    assert why_stuck(saga(in_flight=SENT), NOW, may_wait=True) is not None
