"""Waiting for a view: many reads at once, and one query of its checkpoints at a time."""

import asyncio

import pytest

from query_api.views.consistency import ConsistencyWaiter
from schemas.consistency_token import ConsistencyToken
from schemas.errors import NotYetSeen, Unavailable
from schemas.system import ContextName

CONTEXT = ContextName("system", "context")


class Checkpoints:
    """A view's checkpoints that a test moves; counts the queries, and how many ran at once."""

    def __init__(self) -> None:
        self.positions: dict[ContextName, dict[int, int]] = {}
        self.queries = self.running = self.max_running = 0
        self.fails = False

    async def all(self) -> dict[ContextName, dict[int, int]]:
        self.queries += 1
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        await asyncio.sleep(0.001)
        self.running -= 1
        if self.fails:
            raise Unavailable("gone")
        return self.positions


def waiter(checkpoints: Checkpoints, seconds: float = 5) -> ConsistencyWaiter:
    return ConsistencyWaiter(checkpoints, "view", seconds)  # type: ignore[arg-type]


def token(position: int, partition: int = 0) -> ConsistencyToken:
    return ConsistencyToken(CONTEXT, partition, position)


async def test_each_read_waits_for_its_own_write() -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints)
    reads = [asyncio.create_task(view.until_seen(token(position))) for position in range(1, 101)]

    checkpoints.positions = {CONTEXT: {0: 60}}
    await asyncio.wait_for(asyncio.gather(*reads[:60]), 1)
    assert not any(read.done() for read in reads[60:])

    checkpoints.positions = {CONTEXT: {0: 100}}
    await asyncio.wait_for(asyncio.gather(*reads), 1)
    assert checkpoints.max_running == 1
    assert checkpoints.queries < 100


async def test_each_read_queries_the_checkpoints_anew() -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints, 0.05)
    checkpoints.positions = {CONTEXT: {0: 9}}
    await view.until_seen(token(9))

    checkpoints.positions = {CONTEXT: {0: 3}}  # an operator reset it
    with pytest.raises(NotYetSeen):
        await view.until_seen(token(9))


@pytest.mark.parametrize("unseen", [token(1, partition=7), ConsistencyToken(ContextName("system", "other"), 0, 1)])
async def test_a_write_that_the_view_never_sees_is_reported_after_the_longest_wait(unseen: ConsistencyToken) -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints, 0.05)
    checkpoints.positions = {CONTEXT: {0: 9}}

    with pytest.raises(NotYetSeen, match=r"within 0\.05 s"):
        await view.until_seen(unseen)
    queries = checkpoints.queries
    await asyncio.sleep(0.1)
    assert checkpoints.queries == queries, "it still queries though no read waits"


async def test_a_database_out_of_reach_fails_every_waiting_read_and_the_next_read_queries_again() -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints)
    checkpoints.fails = True
    answers = await asyncio.gather(*(view.until_seen(token(1)) for _ in range(3)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}

    checkpoints.fails, checkpoints.positions = False, {CONTEXT: {0: 1}}
    await view.until_seen(token(1))
