"""Work in a task of its own: its limits, and its end if the caller is cancelled.

That no cancellation is lost wherever it arrives is tested with the clients (`test_clients`).
"""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from streams.broker.own_tasks import in_own_task, stop_or_abort


async def test_a_library_that_cancels_its_own_task_does_not_cancel_the_caller() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(KafkaConnectionError, match="the client was closed"):
        await in_own_task(give_up(), 5)


async def test_work_that_takes_too_long_is_cancelled() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(KafkaTimeoutError, match=r"has not answered within 0\.05 s"):
        await in_own_task(endless(), 0.05)
    await asyncio.wait_for(ended.wait(), 1)


async def test_what_does_not_stop_in_time_is_aborted_and_delays_no_other() -> None:
    aborted, stopped = asyncio.Event(), []

    async def silent() -> None:
        await aborted.wait()
        stopped.append("silent")

    async def quick() -> None:
        stopped.append("quick")

    await stop_or_abort({silent(): aborted.set, quick(): lambda: stopped.append("aborted")}, 0.05)

    assert stopped == ["quick", "silent"]
