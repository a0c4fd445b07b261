"""Stuck sagas: which they are, why, and the status that is shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.operations.sagas.stuck import LATE, next_timer, shown, status_of, why_stuck

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SENT = {"1": {"name": "book-car", "sent_at": (NOW - LATE - timedelta(seconds=1)).isoformat()}}


def saga(**fields: Any) -> dict[str, Any]:
    """A saga that has done nothing for as long as it may."""
    idle: dict[str, Any] = {"failed_compensations": {}, "deferred": {}, "in_flight": {}, "timers": {}}
    return {"status": "running", "updated_at": NOW - LATE - timedelta(seconds=1), **idle, **fields}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "has waited for an event since"),
        ({"in_flight": SENT}, "book-car has had no outcome since"),
        (
            {"deferred": {"id": {"name": "CarBooked", "problem": "a slip", "status": "failed"}}, "updated_at": NOW},
            "CarBooked: a slip",
        ),
        (
            {"status": "compensating", "failed_compensations": {"1": {"name": "give-back", "problem": "closed"}}},
            "give-back was not comp",
        ),
    ],
)
def test_the_reason_why_a_saga_is_stuck_is_named(fields: dict[str, Any], why: str) -> None:
    assert (why_stuck(saga(**fields), NOW, may_wait=False) or "").startswith(why)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "completed"},
        {"status": "in_review"},
        {"timers": {"car": NOW.isoformat()}},
        {"updated_at": NOW - LATE / 2},
        {"deferred": {"id": {"name": "CarBooked", "problem": "too early", "status": "received"}}, "updated_at": NOW},
        {"in_flight": {"1": {"name": "book-car", "sent_at": NOW.isoformat()}}},
        {"status": "compensating", "in_flight": {"1": {"name": "x", "sent_at": NOW.isoformat()}}, "deferred": {"id": {}}},
    ],
)
def test_a_saga_that_works_or_waits_for_a_person_is_not_stuck(fields: dict[str, Any]) -> None:
    assert why_stuck(saga(**fields), NOW, may_wait=False) is None


def test_a_saga_that_may_wait_indefinitely_may_wait_for_an_event_and_for_nothing_else() -> None:
    assert why_stuck(saga(), NOW, may_wait=True) is None
    assert why_stuck(saga(in_flight=SENT), NOW, may_wait=True) is not None


def test_a_saga_that_only_waits_is_shown_as_waiting() -> None:
    assert status_of("running", {}, may_wait=True) == "waiting"
    assert status_of("running", SENT, may_wait=True) == "running"
    assert status_of("running", {}, may_wait=False) == "running"
    assert shown(status_of("in_review", {}, may_wait=True)) == "in review"


def test_the_next_timer_is_the_one_that_is_due_first() -> None:
    timers = {"late": (NOW + timedelta(days=2)).isoformat(), "soon": (NOW + timedelta(hours=3)).isoformat()}

    assert next_timer(saga(timers=timers), NOW) == "soon in 3 h"
    assert next_timer(saga(), NOW) == ""


def test_the_next_timer_is_the_earliest_one_in_any_offset_or_none() -> None:
    timers = {"a": "2030-01-01T00:00:30+00:00", "b": "2030-01-01T00:00:20", "c": "2030-01-01T01:00:10+01:00"}

    assert next_timer(saga(timers=timers), NOW).startswith("c in 10")
    assert next_timer(saga(timers={"b": timers["b"]}), NOW).startswith("b in 20")
