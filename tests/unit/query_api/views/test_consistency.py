"""Waiting for a view: many reads at once, and one question at a time to the database."""

import asyncio

import pytest

from query_api.views.consistency import Waits
from schemas.catalog import ContextName
from schemas.consistency_token import ConsistencyToken
from schemas.errors import NotYetSeen, Unavailable

CONTEXT = ContextName("system", "context")


class Checkpoints:
    """A view's checkpoints that a test moves; counts the questions, and how many were asked at once."""

    def __init__(self) -> None:
        self.stands: dict[ContextName, dict[int, int]] = {}
        self.asked = self.now = self.most = 0
        self.fails = False

    async def all(self) -> dict[ContextName, dict[int, int]]:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        if self.fails:
            raise Unavailable("gone")
        return self.stands


def waits(checkpoints: Checkpoints, seconds: float = 5) -> Waits:
    return Waits(checkpoints, "view", seconds)  # type: ignore[arg-type]


def token(position: int, partition: int = 0) -> ConsistencyToken:
    return ConsistencyToken(CONTEXT, partition, position)


async def test_each_read_waits_for_its_own_write() -> None:
    checkpoints = Checkpoints()
    view = waits(checkpoints)
    reads = [asyncio.create_task(view.until_seen(token(position))) for position in range(1, 101)]

    checkpoints.stands = {CONTEXT: {0: 60}}
    await asyncio.wait_for(asyncio.gather(*reads[:60]), 1)
    assert not any(read.done() for read in reads[60:])

    checkpoints.stands = {CONTEXT: {0: 100}}
    await asyncio.wait_for(asyncio.gather(*reads), 1)
    assert checkpoints.most == 1
    assert checkpoints.asked < 100


async def test_a_read_looks_again_however_far_the_view_was_before() -> None:
    checkpoints = Checkpoints()
    view = waits(checkpoints, 0.05)
    checkpoints.stands = {CONTEXT: {0: 9}}
    await view.until_seen(token(9))

    checkpoints.stands = {CONTEXT: {0: 3}}  # put back by an operator
    with pytest.raises(NotYetSeen):
        await view.until_seen(token(9))


@pytest.mark.parametrize("unseen", [token(1, partition=7), ConsistencyToken(ContextName("system", "other"), 0, 1)])
async def test_what_never_comes_is_said_after_the_longest_wait(unseen: ConsistencyToken) -> None:
    checkpoints = Checkpoints()
    view = waits(checkpoints, 0.05)
    checkpoints.stands = {CONTEXT: {0: 9}}

    with pytest.raises(NotYetSeen, match=r"within 0\.05 s"):
        await view.until_seen(unseen)
    asked = checkpoints.asked
    await asyncio.sleep(0.1)
    assert checkpoints.asked == asked, "it goes on looking though nobody waits"


async def test_a_database_out_of_reach_is_said_to_every_read_and_the_next_one_looks_again() -> None:
    checkpoints = Checkpoints()
    view = waits(checkpoints)
    checkpoints.fails = True
    answers = await asyncio.gather(*(view.until_seen(token(1)) for _ in range(3)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}

    checkpoints.fails, checkpoints.stands = False, {CONTEXT: {0: 1}}
    await view.until_seen(token(1))
