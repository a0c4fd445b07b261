"""Commands that may end the process: suspects are handled one by one, and one that ends it twice alone is parked."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.commands import guarded_commands as module
from streams.commands.guarded_commands import GuardedCommands, Turn, Where
from streams.subscriptions.faults import ProcessDied
from streams.subscriptions.process_deaths.attempts import Attempt
from streams.subscriptions.process_deaths.turns import Turns

WHERE = (ContextName("todo", "tasks"), 0)
OTHER = (ContextName("todo", "tasks"), 1)


class Table:
    """The attempts, which outlast processes."""

    def __init__(self) -> None:
        self.rows: dict[Where, Attempt] = {}
        self.statements = 0

    async def newest(self, context: ContextName, partition: int) -> Attempt | None:
        return self.rows.get((context, partition))

    async def note(self, attempts: Mapping[Where, Attempt]) -> None:
        self.statements += 1
        self.rows.update(attempts)

    async def clear(self, partitions: Iterable[Where]) -> None:
        self.statements += 1
        for where in partitions:
            self.rows.pop(where, None)


class Death(BaseException):
    """The end of a process: nothing catches it."""


class Process:
    """Handles records, dies of some, and notes which are in flight together."""

    def __init__(self, table: Table, *deadly: int, turns: Turns | None = None) -> None:
        self.deadly, self.handled, self.parked, self.together = set(deadly), list[int](), list[int](), list[set[int]]()
        self._in_flight: set[int] = set()
        attempts: Any = table
        self.guarded = GuardedCommands(lambda _: attempts, turns or Turns())

    async def handle(self, records: Sequence[Any], turn: Turn) -> None:
        await asyncio.gather(*(self._one(record, turn) for record in records))

    async def _one(self, record: Any, turn: Turn) -> None:
        try:
            async with turn(record):
                if record.offset in self.deadly:
                    raise Death
                self._in_flight.add(record.offset)
                self.together.append(set(self._in_flight))
                await asyncio.sleep(0)
                self._in_flight.discard(record.offset)
                self.handled.append(record.offset)
        except ProcessDied:
            self.parked.append(record.offset)

    async def run(self, *offsets: int, where: Where = WHERE) -> None:
        await self.guarded.handle(where, batch(*offsets), self.handle)


def batch(*offsets: int) -> list[Any]:
    return [SimpleNamespace(topic="commands", partition=0, offset=offset) for offset in offsets]


async def deaths(table: Table, deadly: int, *batches: Sequence[int], commits: bool) -> tuple[int, Process]:
    """Starts processes until one outlives all batches, from the first one that is not committed."""
    committed = 0
    for count in range(10):
        process = Process(table, deadly)
        try:
            for number, offsets in enumerate(batches[committed:], committed):
                await process.run(*offsets)
                committed = number + 1 if commits else committed
            return count, process
        except Death:
            pass
    raise AssertionError("processes die of it again and again")


@pytest.mark.parametrize(("careful_seconds", "commits"), [(0.0, True), (60.0, True), (60.0, False)])
@pytest.mark.parametrize("deadly", [3, 5, 7, 12, 14])
async def test_the_deadly_one_is_parked_wherever_it_is(
    monkeypatch: pytest.MonkeyPatch, careful_seconds: float, commits: bool, deadly: int
) -> None:
    monkeypatch.setattr(module, "CAREFUL_SECONDS", careful_seconds)
    table, batches = Table(), [range(3, 8), range(8, 13), range(13, 15)]

    count, survivor = await deaths(table, deadly, *batches, commits=commits)

    assert count <= 4
    assert survivor.parked == [deadly]
    assert {*range(deadly + 1, 15)} <= set(survivor.handled)


async def test_suspects_are_in_flight_alone_also_beside_other_partitions() -> None:
    table, turns = Table(), Turns()
    table.rows[WHERE] = Attempt(3, 5, 0)
    process = Process(table, turns=turns)

    await asyncio.gather(process.run(3, 4, 5, 6, 7), process.run(20, 21, 22, where=OTHER))

    assert all(len(found) == 1 for found in process.together if found & {3, 4, 5})
    assert {6, 7} in process.together


async def test_a_partition_without_deaths_is_handled_side_by_side_and_after_some_seconds_not_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CAREFUL_SECONDS", 0.0)
    table = Table()
    process = Process(table)

    await process.run(1, 2)
    noted = table.statements
    await process.run(3, 4)

    assert (noted, table.statements, table.rows) == (2, 2, {})
    assert {3, 4} in process.together


async def test_suspects_are_looked_for_again_when_partitions_are_assigned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAREFUL_SECONDS", 0.0)
    table = Table()
    process = Process(table, 4)
    await process.run(1, 2)
    table.rows[WHERE] = Attempt(4, 4, 2)  # two processes have died of it meanwhile
    process.guarded.invalidate()

    await process.run(3, 4)

    assert (process.parked, process.handled) == ([4], [1, 2, 3])


@pytest.mark.parametrize("noted", [Attempt(1, 2, 1), Attempt(90_000, 90_010, 1)])
async def test_a_note_of_records_that_are_committed_or_of_another_topic_means_nothing(noted: Attempt) -> None:
    table = Table()
    table.rows[WHERE] = noted
    process = Process(table)

    await process.run(3, 4)

    assert {3, 4} in process.together
    assert table.rows[WHERE] == Attempt(3, 4, 0)


@pytest.mark.parametrize("error", [Unavailable("no log"), asyncio.CancelledError()])
async def test_a_suspect_that_fails_or_is_cancelled_keeps_the_count_of_deaths(error: BaseException) -> None:
    table, before = Table(), Attempt(3, 4, 1)
    table.rows[WHERE] = before
    process = Process(table)

    async def failing(records: Sequence[Any], turn: Turn) -> None:
        async with turn(records[0]):
            assert table.rows[WHERE] == Attempt(3, 4, 2)
            raise error

    with pytest.raises(type(error)):
        await process.guarded.handle(WHERE, batch(3, 4), failing)

    assert table.rows[WHERE] == before


async def test_between_two_attempts_nothing_else_waits() -> None:
    table, turns = Table(), Turns()
    table.rows[WHERE] = Attempt(3, 3, 0)
    guarded, goes_on = Process(table, turns=turns).guarded, asyncio.Event()

    async def waiting(records: Sequence[Any], turn: Turn) -> None:
        async with turn(records[0]):
            pass
        await goes_on.wait()  # an outage: the next attempt is later

    handling = asyncio.create_task(guarded.handle(WHERE, batch(3), waiting))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1), turns.together():
        pass
    goes_on.set()
    await handling
