"""The newest frames of a live page."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from deploy.pages.history import Frame, History, LeftBehind

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def frame(number: int, seconds: float | None = None) -> Frame:
    at = NOW + timedelta(seconds=number * 100 if seconds is None else seconds)
    return Frame(str(number), "Event", at, f"text {number}")


async def taken(frames: AsyncIterator[Frame], count: int) -> list[str]:
    async with asyncio.timeout(5):
        return [(await anext(frames)).id for _ in range(count)]


async def nothing_follows(frames: AsyncIterator[Frame]) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await anext(frames)
    except TimeoutError:
        return True
    return False


async def test_a_new_reader_gets_what_comes_from_now_on() -> None:
    history = History()
    history.add([frame(1)])
    frames = history.after(None)
    first = asyncio.create_task(taken(frames, 2))
    await asyncio.sleep(0)

    history.add([frame(2)])
    history.add([frame(3)])

    assert await first == ["2", "3"]


async def test_a_reader_goes_on_with_the_frame_that_it_names() -> None:
    history = History()
    history.add([frame(1), frame(2), frame(3), frame(4)])
    frames = history.after("2")

    assert await taken(frames, 3) == ["2", "3", "4"]
    assert await nothing_follows(frames)


async def test_frames_of_about_the_same_time_come_again() -> None:
    history = History()
    history.add([frame(1, 0), frame(2, 200), frame(3, 201), frame(4, 202)])

    assert await taken(history.after("3"), 3) == ["2", "3", "4"], "those of one minute before, in any order"


async def test_one_that_names_a_frame_which_is_not_kept_gets_all() -> None:
    history = History()
    history.add([frame(1), frame(2)])

    assert await taken(history.after("unknown"), 2) == ["1", "2"]


async def test_no_frame_is_kept_twice() -> None:
    history = History()
    history.add([frame(1), frame(2), frame(1)])
    history.add([frame(2), frame(3)])

    assert history.end == 3
    assert await taken(history.after("none"), 3) == ["1", "2", "3"]


async def test_the_oldest_are_dropped_and_a_reader_that_missed_them_ends() -> None:
    history = History(max_frames=3)
    history.add([frame(1), frame(2)])
    slow = history.after("none")
    assert await taken(slow, 1) == ["1"]

    history.add([frame(n) for n in range(3, 7)])

    assert history.end == 6
    with pytest.raises(LeftBehind):
        await taken(slow, 1)
    assert await taken(history.after("none"), 3) == ["4", "5", "6"]


async def test_a_frame_that_was_dropped_may_come_again() -> None:
    history = History(max_frames=1)
    history.add([frame(1), frame(2), frame(1)])

    assert history.end == 3
    assert await taken(history.after("none"), 1) == ["1"]


async def test_one_event_may_have_frames_of_several_types() -> None:
    history = History()
    history.add([frame(1), frame(1)._replace(type="Step"), frame(1)])

    assert history.end == 2
