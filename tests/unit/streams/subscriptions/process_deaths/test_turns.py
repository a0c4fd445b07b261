"""Turns: one event alone, or batches and retries together."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from streams.subscriptions.process_deaths.turns import Turns


class Work:
    """Blocks that note in which order they begin and end."""

    def __init__(self) -> None:
        self.turns, self.order = Turns(), list[str]()

    async def during(self, turn: AbstractAsyncContextManager[None], name: str, rounds: int = 3) -> None:
        async with turn:
            self.order.append(f"{name} begins")
            for _ in range(rounds):
                await asyncio.sleep(0)
            self.order.append(f"{name} ends")


async def test_what_is_handled_together_runs_at_once() -> None:
    work = Work()

    await asyncio.gather(work.during(work.turns.together(), "a"), work.during(work.turns.together(), "b"))

    assert work.order == ["a begins", "b begins", "a ends", "b ends"]


async def test_one_alone_waits_for_what_is_in_flight_and_later_ones_wait_for_it() -> None:
    work = Work()

    await asyncio.gather(
        work.during(work.turns.together(), "a", 9),
        work.during(work.turns.alone(), "alone"),
        work.during(work.turns.together(), "b"),
        work.during(work.turns.noted(), "c"),
    )

    assert work.order[:4] == ["a begins", "a ends", "alone begins", "alone ends"]
    assert sorted(work.order[4:]) == ["b begins", "b ends", "c begins", "c ends"]


async def test_noted_batches_are_handled_one_after_another_beside_others() -> None:
    work = Work()

    await asyncio.gather(
        work.during(work.turns.noted(), "a"), work.during(work.turns.noted(), "b"), work.during(work.turns.together(), "c", 1)
    )

    assert work.order.index("a ends") < work.order.index("b begins")
    assert work.order.index("c ends") < work.order.index("a ends")


@pytest.mark.parametrize("kind", ["alone", "together", "noted"])
async def test_a_turn_ends_with_an_error_or_a_cancellation(kind: str) -> None:
    turns = Turns()
    for error in (ValueError(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            async with getattr(turns, kind)():
                raise error

    async with asyncio.timeout(1), turns.alone():
        pass


async def test_one_that_is_cancelled_while_it_waits_to_be_alone_lets_others_begin() -> None:
    work = Work()
    async with work.turns.together():
        waiting = asyncio.create_task(work.during(work.turns.alone(), "alone"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await work.during(work.turns.together(), "a")

    assert work.order == ["a begins", "a ends"]
