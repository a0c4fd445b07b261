"""Turns: a few at a time, one group of clients after the other, and a bounded number that wait."""

import asyncio

import pytest

from schemas.errors import Unavailable
from streams.security.fair_turns import FairTurns


class Served:
    """Clients that each keep their turn until the test ends it."""

    def __init__(self, at_once: int, places: int, at_once_of_group: int | None = None) -> None:
        self.turns = FairTurns(at_once, places, at_once_of_group)
        self.order: list[str] = []
        self.leaving = asyncio.Event()

    async def ask(self, *names: str, purpose: str = "p") -> list["asyncio.Task[None]"]:
        """Asks for turns for clients, whose group is the first letter of their names."""

        async def use(name: str) -> None:
            async with self.turns.turn(purpose, name[0]):
                self.order.append(name)
                await self.leaving.wait()

        asked = [asyncio.create_task(use(name)) for name in names]
        await asyncio.sleep(0)
        return asked

    async def finish(self) -> list[str]:
        """Ends all turns, one after the other; returns the clients in the order of their turns."""
        self.leaving.set()
        for _ in range(50):
            await asyncio.sleep(0)
        return self.order


async def test_a_few_have_a_turn_at_a_time() -> None:
    served = Served(at_once=2, places=4)
    await served.ask("a1", "a2", "a3")

    assert served.order == ["a1", "a2"]
    assert await served.finish() == ["a1", "a2", "a3"]


async def test_groups_take_turns() -> None:
    served = Served(at_once=1, places=8)
    await served.ask("a1", "a2", "a3", "a4", "b1", "b2", "c1")

    assert await served.finish() == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_a_newcomer_gets_the_place_of_the_group_that_has_most() -> None:
    served = Served(at_once=1, places=3)
    *_, last = await served.ask("a1", "a2", "a3", "a4")
    rejected, _ = await served.ask("a5", "b1")
    await asyncio.sleep(0)

    for task in (rejected, last):
        with pytest.raises(Unavailable, match="too many others wait"):
            await task
    assert await served.finish() == ["a1", "a2", "b1", "a3"]


async def test_nobody_gives_up_a_place_for_a_group_that_has_as_many() -> None:
    served = Served(at_once=1, places=2)
    await served.ask("a1", "b1", "c1")
    (rejected,) = await served.ask("d1")

    with pytest.raises(Unavailable):
        await rejected
    assert await served.finish() == ["a1", "b1", "c1"]


async def test_the_places_of_another_purpose_are_not_taken() -> None:
    served = Served(at_once=1, places=2)
    await served.ask("a1", "a2", "a3")
    await served.ask("b1", purpose="q")

    assert await served.finish() == ["a1", "a2", "b1", "a3"]


async def test_one_that_leaves_while_it_waits_takes_no_turn() -> None:
    served = Served(at_once=1, places=4)
    _, second, *_ = await served.ask("a1", "a2", "a3")
    second.cancel()
    await asyncio.sleep(0)

    assert await served.finish() == ["a1", "a3"]
    async with asyncio.timeout(1), served.turns.turn("p", "z"):
        pass


async def test_one_that_is_cancelled_when_its_turn_comes_passes_it_on() -> None:
    served = Served(at_once=1, places=4)
    async with served.turns.turn("p", "a"):
        first, _ = await served.ask("a1", "a2")
    first.cancel()  # it has the turn by now, and has not run yet

    assert await served.finish() == ["a2"]
    assert first.cancelled()
    async with asyncio.timeout(1), served.turns.turn("p", "z"):
        pass


async def test_one_that_is_cancelled_when_its_place_is_given_away_passes_no_turn_on() -> None:
    served = Served(at_once=1, places=2)
    *_, last = await served.ask("a1", "a2", "a3")
    turn = asyncio.create_task(served.turns._wait(("p", "b")))
    turn.add_done_callback(lambda _: None)
    await asyncio.sleep(0)  # a3's place is b's, and a3 has not run yet
    last.cancel()
    await asyncio.sleep(0)

    assert served.order == ["a1"], "one turn, one user"
    await served.finish()
    assert turn.done()


async def test_a_group_has_no_more_turns_at_a_time_than_are_its_own() -> None:
    served = Served(at_once=3, places=9, at_once_of_group=1)
    await served.ask("a1", "a2", "a3", "b1")
    assert served.order == ["a1", "b1"], "the third turn is one of another group"

    await served.ask("b2", "c1", "d1")
    assert served.order == ["a1", "b1", "c1"]
    assert await served.finish() == ["a1", "b1", "c1", "a2", "b2", "d1", "a3"]
    async with asyncio.timeout(1), served.turns.turn("p", "x"), served.turns.turn("p", "y"), served.turns.turn("p", "z"):
        pass


async def test_a_group_whose_turn_has_ended_gets_the_next_one_although_others_are_free() -> None:
    served = Served(at_once=2, places=9, at_once_of_group=1)
    await served.ask("a1", "a2")

    assert await served.finish() == ["a1", "a2"]
    async with asyncio.timeout(1), served.turns.turn("p", "x"), served.turns.turn("p", "y"):
        pass
