"""Admission: a loop that is late accepts few requests, one that is not accepts as many as the limit says."""

import asyncio
import time

from streams.http.admission import MIN_IN_PROGRESS, Admission


def stall(seconds: float) -> None:
    """Holds up the loop."""
    time.sleep(seconds)


async def saturate(seconds: float) -> None:
    """Holds up the loop again and again, as requests do that take more processor time than there is."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        stall(0.15)
        await asyncio.sleep(0)


def accepted(admission: Admission, wanted: int) -> int:
    """How many requests are accepted; they stay in progress."""
    return sum(admission.accepts() for _ in range(wanted))


async def test_an_idle_loop_accepts_up_to_the_limit() -> None:
    admission = Admission(100)

    assert accepted(admission, 150) == 100
    for _ in range(40):
        admission.leave()
    assert accepted(admission, 150) == 40


async def test_a_saturated_loop_accepts_few_and_recovers() -> None:
    admission = Admission(100)
    assert accepted(admission, 20) == 20
    await saturate(1.0)

    assert accepted(admission, 50) == 0
    for _ in range(20):
        admission.leave()
    assert accepted(admission, 50) == MIN_IN_PROGRESS

    await asyncio.sleep(0.5)
    assert accepted(admission, 50) == 50


async def test_one_stall_is_no_overload() -> None:
    admission = Admission(100)
    assert accepted(admission, 20) == 20
    await asyncio.sleep(0.05)
    stall(0.12)
    await asyncio.sleep(0.001)

    assert accepted(admission, 10) == 10


async def test_nothing_runs_while_no_request_is_in_progress() -> None:
    admission = Admission(100)
    accepted(admission, 1)
    admission.leave()
    await asyncio.sleep(0.1)

    assert not admission._is_beating
