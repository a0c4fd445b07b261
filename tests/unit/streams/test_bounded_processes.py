"""Bounded computations: results and errors come back, and what takes too much is ended."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest

from schemas.errors import CostlyBefore, Rejected, TooCostly
from streams.bounded_processes import MAX_ENDED, BoundedProcesses, Work


def squared(number: int) -> int:
    return number * number


def reject() -> None:
    raise Rejected("not that")


def spin(seconds: float) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "done"


def hoard(gigabytes: int) -> int:
    return len(bytearray(gigabytes * 1024**3))


def die() -> None:
    os.abort()


@pytest.fixture(scope="module")
def processes() -> Iterator[BoundedProcesses]:
    made = BoundedProcesses(cpu_seconds=0.3)
    yield made
    made.close()


@pytest.fixture
def work(request: pytest.FixtureRequest) -> Work:
    """A client of the test's own."""
    return Work("test", request.node.name)


async def test_results_and_errors_come_back(processes: BoundedProcesses, work: Work) -> None:
    assert await asyncio.gather(*(processes.run(work, squared, n) for n in range(20))) == [n * n for n in range(20)]
    with pytest.raises(Rejected, match="not that"):
        await processes.run(work, reject)


async def test_a_computation_without_end_is_ended_and_the_next_ones_are_run(processes: BoundedProcesses, work: Work) -> None:
    began = time.monotonic()

    with pytest.raises(TooCostly, match=r"more than 0\.3 s of processor time"):
        await processes.run(work, spin, 60)

    assert time.monotonic() - began < 20
    assert await processes.run(work, spin, 0.05) == "done"


async def test_the_event_loop_goes_on_meanwhile(processes: BoundedProcesses, work: Work) -> None:
    task = asyncio.create_task(processes.run(work, spin, 60))
    slept = 0
    while not task.done():
        await asyncio.sleep(0.01)
        slept += 1

    assert slept > 5
    with pytest.raises(TooCostly):
        await task


async def test_a_process_that_dies_is_replaced(processes: BoundedProcesses, work: Work) -> None:
    with pytest.raises(TooCostly):
        await processes.run(work, die)
    assert await processes.run(work, squared, 3) == 9


async def test_an_idle_process_that_is_killed_is_replaced(processes: BoundedProcesses, work: Work) -> None:
    for _ in range(3):
        os.kill(await processes.run(work, os.getpid), signal.SIGKILL)
        await asyncio.sleep(0.3)
        assert await asyncio.gather(*(processes.run(work._replace(client=f"{n}"), squared, n) for n in range(4))) == [
            0,
            1,
            4,
            9,
        ]


async def test_memory_is_limited(processes: BoundedProcesses, work: Work) -> None:
    with pytest.raises((TooCostly, MemoryError)):
        await processes.run(work, hoard, 3)
    assert await processes.run(work, squared, 4) == 16


async def test_a_cancelled_computation_is_ended(processes: BoundedProcesses, work: Work) -> None:
    task = asyncio.create_task(processes.run(work, spin, 60))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await processes.run(work, squared, 5) == 25


async def test_a_client_with_much_costly_work_delays_nobody_else(processes: BoundedProcesses, work: Work) -> None:
    costly = [asyncio.create_task(processes.run(work._replace(cause=f"{n}"), spin, 60)) for n in range(6)]
    await asyncio.sleep(0.05)

    for other in "bcd":
        assert await processes.run(Work("test", other), squared, 3) == 9

    assert not all(task.done() for task in costly)
    results = await asyncio.gather(*costly, return_exceptions=True)
    assert [type(result) for result in results] == [TooCostly] * 6


async def test_what_was_ended_several_times_is_rejected_without_a_computation(work: Work) -> None:
    processes = BoundedProcesses(cpu_seconds=0.1, ended_seconds=3)
    schema, other = work._replace(cause="1"), work._replace(cause="2")
    try:
        results = await asyncio.gather(*(processes.run(schema, spin, 60) for _ in range(9)), return_exceptions=True)

        assert [type(result) for result in results] == [TooCostly] * MAX_ENDED + [CostlyBefore] * (9 - MAX_ENDED)
        assert await processes.run(other, squared, 2) == 4, "the same client with another schema"
        with pytest.raises(CostlyBefore):
            await processes.run(schema, squared, 2)
        await asyncio.sleep(3)
        assert await processes.run(schema, squared, 2) == 4
    finally:
        processes.close()
