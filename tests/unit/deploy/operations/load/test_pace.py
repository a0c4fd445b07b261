"""The pace of a load: pauses grow, those that the API asks for are kept, and a load without progress ends."""

import asyncio
import time

import pytest

from deploy.operations.load.pace import Pace
from schemas.errors import Unavailable


async def waited(pace: Pace) -> float:
    began = time.monotonic()
    await pace.wait()
    return time.monotonic() - began


async def test_pauses_grow_until_there_is_progress() -> None:
    said: list[str] = []
    pace = Pace(said.append)
    assert await waited(pace) < 0.05

    for _ in range(2):
        pace.failed("line 1", "out of reach", 0)
        await pace.wait()
    pace.failed("line 1", "out of reach", 0)
    assert 0.3 < await waited(pace) < 0.8

    pace.progressed()
    pace.failed("line 1", "again", 0)
    assert await waited(pace) < 0.3
    assert said == ["retrying for 120 s at most: out of reach", "retrying for 120 s at most: again"]


async def test_one_pause_of_several_senders_is_said_once_and_not_added_up() -> None:
    said: list[str] = []
    pace = Pace(said.append)

    for _ in range(4):
        pace.failed("line 1", "more than 60 requests in 60 s", 42)
        await asyncio.sleep(0.01)

    assert said == ["waiting for 42 s, as the API asks: more than 60 requests in 60 s"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await pace.wait()


async def test_a_load_ends_without_progress() -> None:
    pace = Pace(lambda _: None, give_up_seconds=0.2)
    pace.failed("line 7", "out of reach", 0)
    await asyncio.sleep(0.25)

    with pytest.raises(Unavailable, match="no command was accepted for 0 s, beginning with line 7: out of reach"):
        pace.failed("line 7", "out of reach", 0)
    pace.progressed()
    pace.failed("line 8", "out of reach", 0)


async def test_an_outage_after_a_pause_that_the_api_asked_for_does_not_end_the_load() -> None:
    pace = Pace(lambda _: None, give_up_seconds=0.1)

    pace.failed("line 7", "more than 1 request", 0.3)
    pace.progressed()  # by a batch of another sender that was in flight
    await pace.wait()

    pace.failed("line 7", "the connection was reset", 0)


async def test_a_load_waits_as_long_as_the_api_asks_and_then_ends_without_progress() -> None:
    pace = Pace(lambda _: None, give_up_seconds=0.1)

    for _ in range(3):
        pace.failed("line 7", "more than 1 request", 0.15)
        await pace.wait()
    with pytest.raises(Unavailable):
        pace.failed("line 7", "more than 1 request", 0.15)
