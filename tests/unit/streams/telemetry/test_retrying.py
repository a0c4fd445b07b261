"""Loops through outages: growing pauses, a line for each failure, and an end by cancellation alone."""

import asyncio
from contextlib import suppress

import pytest
import structlog

from schemas.errors import Rejected, Unavailable
from streams.telemetry import retrying
from streams.telemetry.retrying import Backoff, every, keep_running, reason


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of the loops, which take no time."""
    found: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        found.append(seconds)
        await sleep(0)

    monkeypatch.setattr(retrying.asyncio, "sleep", pause)  # type: ignore[attr-defined]
    return found


async def test_pauses_double_up_to_a_bound_until_a_success(pauses: list[float]) -> None:
    backoff = Backoff("work interrupted", 1, 4)

    for _ in range(4):
        await backoff.wait(OSError("gone"))
    backoff.reset()
    await backoff.wait(OSError("gone"))

    assert pauses == [1, 2, 4, 4, 1]


async def test_a_failure_is_logged_with_its_reason_and_the_pause(pauses: list[float]) -> None:
    with structlog.testing.capture_logs() as logs:
        await Backoff("work interrupted", 0.5, context="a.b").wait(ConnectionResetError())

    assert logs == [
        {"event": "work interrupted", "log_level": "warning", "context": "a.b", "why": "ConnectionResetError()", "seconds": 0.5}
    ]


async def test_work_is_run_again_after_the_errors_that_are_named_and_no_others(pauses: list[float]) -> None:
    results = iter([OSError("one"), None, OSError("two"), ZeroDivisionError()])

    async def work() -> None:
        if (error := next(results)) is not None:
            raise error

    with pytest.raises(ZeroDivisionError):
        await keep_running(work, (OSError,), Backoff("work interrupted", 1, 60))

    assert pauses == [1, 2, 4]


async def test_work_that_lasted_for_a_while_starts_over_with_short_pauses() -> None:
    lasting = iter([0.0, 0.0, 0.3, 0.0])
    backoff = Backoff("work interrupted", 0.001, 0.2)

    async def work() -> None:
        await asyncio.sleep(next(lasting))
        raise OSError

    with structlog.testing.capture_logs() as logs, suppress(StopIteration, RuntimeError):
        await keep_running(work, (OSError,), backoff)

    assert [line["seconds"] for line in logs] == [0.001, 0.002, 0.001, 0.002]


async def test_a_job_runs_every_so_often_through_failures(pauses: list[float]) -> None:
    done: list[int] = []

    async def job() -> None:
        done.append(len(done))
        if len(done) == 1:
            raise Unavailable("the database is gone")
        if len(done) == 2:
            raise ZeroDivisionError
        if len(done) == 4:
            raise asyncio.CancelledError

    with structlog.testing.capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await every(3, job, "cleaning")

    assert pauses == [3, 3, 3, 3]
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("cleaning postponed", "warning"),
        ("cleaning failed", "error"),
    ]


def test_a_reason_is_one_line() -> None:
    assert [reason(error) for error in (Rejected("no"), OSError("gone"), TimeoutError())] == ["no", "gone", "TimeoutError()"]
