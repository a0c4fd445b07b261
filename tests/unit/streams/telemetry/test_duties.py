"""Duties: a failure is known before the other tasks of its group have ended."""

import asyncio

import pytest

from streams.telemetry.duties import Duties, reporting_failures


async def test_a_failure_is_reported_while_another_task_does_not_end() -> None:
    reported, may_end = list[Exception](), asyncio.Event()

    async def fail() -> None:
        raise ZeroDivisionError

    async def lose_its_cancellation() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await may_end.wait()

    async def run_inner() -> None:
        async with Duties() as inner:
            inner.create_task(lose_its_cancellation())
            await asyncio.sleep(0)
            inner.create_task(fail())

    async def run() -> None:
        async with Duties() as duties:
            duties.create_task(run_inner())

    with reporting_failures(reported.append):
        running = asyncio.create_task(run())
    await asyncio.wait([running], timeout=0.1)

    assert [type(error) for error in reported] == [ZeroDivisionError]
    assert not running.done()
    may_end.set()
    with pytest.raises(ExceptionGroup):
        await running


async def test_a_cancellation_is_no_failure() -> None:
    reported = list[Exception]()

    async def run() -> None:
        async with Duties() as duties:
            duties.create_task(asyncio.sleep(60))

    with reporting_failures(reported.append):
        running = asyncio.create_task(run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])

    assert running.cancelled() and not reported


async def test_without_a_reporter_it_is_a_task_group() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        async with Duties() as duties:
            duties.create_task(fail())
