"""Waiting for a view: many reads at once, and one query of its checkpoints at a time."""

import asyncio

import pytest

from query_api.views.consistency import ConsistencyWaiter, Wait
from schemas.consistency_token import ConsistencyToken
from schemas.errors import NotYetSeen, Unavailable
from schemas.system import ContextName
from streams.subscriptions.checkpoints import Checkpoint, ControlState

CONTEXT = ContextName("system", "context")


class Checkpoints:
    """A view's checkpoints that a test moves; counts the queries, and how many ran at once."""

    def __init__(self) -> None:
        self.positions: dict[ContextName, dict[int, int]] = {}
        self.queries = self.running = self.max_running = self.generation = 0
        self.fails = False
        self.followed: dict[ContextName, frozenset[str]] | None = {CONTEXT: frozenset()}

    async def control_state(self) -> ControlState:
        return ControlState(followed=self.followed)

    async def states(self) -> dict[tuple[ContextName, int], Checkpoint]:
        self.queries += 1
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        await asyncio.sleep(0.001)
        self.running -= 1
        if self.fails:
            raise Unavailable("gone")
        return {
            (context, partition): Checkpoint(position, self.generation)
            for context, positions in self.positions.items()
            for partition, position in positions.items()
        }


def waiter(checkpoints: Checkpoints, seconds: float = 5) -> ConsistencyWaiter:
    return ConsistencyWaiter(checkpoints, "view", seconds)  # type: ignore[arg-type]


def token(position: int, partition: int = 0) -> Wait:
    return Wait((ConsistencyToken(CONTEXT, partition, position),))


ELSEWHERE = ConsistencyToken(ContextName("system", "other"), 0, 1)


async def test_each_read_waits_for_its_own_write() -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints)
    reads = [asyncio.create_task(view.until_seen(token(position))) for position in range(1, 101)]

    checkpoints.positions = {CONTEXT: {0: 60}}
    await asyncio.wait_for(asyncio.gather(*reads[:60]), 5)
    assert not any(read.done() for read in reads[60:])

    checkpoints.positions = {CONTEXT: {0: 100}}
    await asyncio.wait_for(asyncio.gather(*reads), 5)
    assert checkpoints.max_running == 1
    assert checkpoints.queries < 100


async def test_each_read_queries_the_checkpoints_anew() -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints, 0.5)
    checkpoints.positions = {CONTEXT: {0: 9}}
    await view.until_seen(token(9))

    checkpoints.positions = {CONTEXT: {0: 3}}  # an operator reset it
    with pytest.raises(NotYetSeen):
        await view.until_seen(token(9))


@pytest.mark.parametrize("unseen", [token(1, partition=7), Wait((ELSEWHERE,))])
async def test_a_write_that_the_view_never_sees_is_reported_after_the_longest_wait(unseen: Wait) -> None:
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


class Table:
    """A view of one row, whose value is the position up to which it has seen events; a test replaces it during a read."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self.reads = 0
        self.is_read = asyncio.Event()
        self.replacements: list[int] = []

    async def read(self) -> int:
        self.reads += 1
        if self.replacements:
            self._replace(self.replacements.pop(0))
        self.is_read.set()
        return self._checkpoints.positions[CONTEXT][0]

    def _replace(self, position: int) -> None:
        self._checkpoints.positions = {CONTEXT: {0: position}}
        self._checkpoints.generation += 1


async def test_a_read_is_repeated_if_the_view_was_replaced_between_the_wait_and_the_read() -> None:
    checkpoints = Checkpoints()
    table, view = Table(checkpoints), waiter(checkpoints)
    checkpoints.positions = {CONTEXT: {0: 9}}
    table.replacements = [3]  # emptied, or rolled back
    read = asyncio.create_task(view.read(token(9), table.read))
    await table.is_read.wait()
    await asyncio.sleep(0.02)
    assert not read.done()

    checkpoints.positions = {CONTEXT: {0: 11}}

    assert (await read, table.reads) == (11, 2)


async def test_a_read_of_a_view_that_only_moves_on_is_not_repeated() -> None:
    checkpoints = Checkpoints()
    table, view = Table(checkpoints), waiter(checkpoints)
    checkpoints.positions = {CONTEXT: {0: 9}}

    assert (await view.read(token(9), table.read), table.reads) == (9, 1)
    assert (await view.read(Wait(), table.read), table.reads) == (9, 2)


async def test_a_read_that_takes_longer_than_the_wait_is_answered() -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints, 0.05)
    checkpoints.positions = {CONTEXT: {0: 9}}

    async def slow() -> str:
        await asyncio.sleep(0.1)
        return "rows"

    assert await view.read(token(9), slow) == "rows"


async def test_a_view_that_does_not_come_back_in_time_is_not_yet_seen() -> None:
    checkpoints = Checkpoints()
    table, view = Table(checkpoints), waiter(checkpoints, 0.1)
    checkpoints.positions = {CONTEXT: {0: 9}}
    table.replacements = [3]

    with pytest.raises(NotYetSeen):
        await view.read(token(9), table.read)


async def test_a_read_waits_for_every_one_of_its_tokens() -> None:
    checkpoints = Checkpoints()
    view = waiter(checkpoints)
    checkpoints.positions = {CONTEXT: {0: 9}}
    read = asyncio.create_task(view.until_seen(Wait((*token(9).tokens, *token(4, partition=1).tokens))))
    await asyncio.sleep(0.02)
    assert not read.done()

    checkpoints.positions = {CONTEXT: {0: 9, 1: 4}}
    assert len(await read) == 2


async def test_a_lenient_read_does_not_wait_for_a_context_that_the_view_does_not_read() -> None:
    checkpoints = Checkpoints()
    table, view = Table(checkpoints), waiter(checkpoints, 30)
    checkpoints.positions = {CONTEXT: {0: 9}}
    wait = Wait((*token(9).tokens, ELSEWHERE), is_lenient=True)

    assert await asyncio.wait_for(view.read(wait, table.read), 5) == 9


async def test_a_lenient_read_is_answered_after_its_wait() -> None:
    checkpoints = Checkpoints()
    table, view = Table(checkpoints), waiter(checkpoints, 30)
    checkpoints.positions = {CONTEXT: {0: 9}}

    assert await asyncio.wait_for(view.read(Wait(token(10).tokens, 0.05, is_lenient=True), table.read), 5) == 9
    with pytest.raises(NotYetSeen, match=r"within 0\.05 s"):
        await view.read(Wait(token(10).tokens, 0.05), table.read)


async def test_a_lenient_read_waits_while_it_is_not_known_what_the_view_reads() -> None:
    checkpoints = Checkpoints()
    table, view = Table(checkpoints), waiter(checkpoints, 0.05)
    checkpoints.followed, checkpoints.positions = None, {CONTEXT: {0: 9}}

    assert await view.read(Wait((ELSEWHERE,), is_lenient=True), table.read) == 9
    assert checkpoints.queries > 1
