"""Bounded computations: results and errors come back, and what takes too much is ended."""

import asyncio
import os
import time
from collections.abc import Iterator

import pytest

from schemas.errors import Rejected, TooCostly
from streams.bounded_processes import BoundedProcesses


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


async def test_results_and_errors_come_back(processes: BoundedProcesses) -> None:
    assert await asyncio.gather(*(processes.run(squared, n) for n in range(20))) == [n * n for n in range(20)]
    with pytest.raises(Rejected, match="not that"):
        await processes.run(reject)


async def test_a_computation_without_end_is_ended_and_the_next_ones_are_run(processes: BoundedProcesses) -> None:
    began = time.monotonic()

    with pytest.raises(TooCostly, match=r"more than 0\.3 s of processor time"):
        await processes.run(spin, 60)

    assert time.monotonic() - began < 20
    assert await processes.run(spin, 0.05) == "done"


async def test_the_event_loop_goes_on_meanwhile(processes: BoundedProcesses) -> None:
    task = asyncio.create_task(processes.run(spin, 60))
    slept = 0
    while not task.done():
        await asyncio.sleep(0.01)
        slept += 1

    assert slept > 5
    with pytest.raises(TooCostly):
        await task


async def test_a_process_that_dies_is_replaced(processes: BoundedProcesses) -> None:
    with pytest.raises(TooCostly):
        await processes.run(die)
    assert await processes.run(squared, 3) == 9


async def test_memory_is_limited(processes: BoundedProcesses) -> None:
    with pytest.raises((TooCostly, MemoryError)):
        await processes.run(hoard, 3)
    assert await processes.run(squared, 4) == 16


async def test_a_cancelled_computation_is_ended(processes: BoundedProcesses) -> None:
    task = asyncio.create_task(processes.run(spin, 60))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await processes.run(squared, 5) == 25
