"""Delivery of a policy's commands: in flight until they have receipts, sent again when overdue, then the checkpoint."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from command_api.policies import delivery as module
from command_api.policies.delivery import Delivery, InFlight, Sending
from command_api.policies.outgoing_commands import OutgoingCommand, outcomes_of
from schemas.envelope import CommandEnvelope, Rejection
from schemas.errors import Unavailable
from schemas.message import Command
from schemas.system import ContextName
from streams.subscriptions.checkpoints import Checkpoint
from streams.subscriptions.process_deaths.turns import Turns
from tests.unit.swallowing import is_never_lost

CONTEXT = ContextName("todo", "tasks")


class Remind(Command, name="remind"):
    pass


def outgoing(follower: OutgoingCommand | None = None, position: int = 3) -> OutgoingCommand:
    envelope = CommandEnvelope(data=Remind(), id=uuid4(), at=datetime(2030, 1, 1, tzinfo=UTC), correlation_id="c")
    return OutgoingCommand(CONTEXT, envelope, "key", position, 2, lambda _: follower)


class FakeLog:
    """Receipts of commands that a test has accepted."""

    def __init__(self) -> None:
        self.accepted: set[UUID] = set()

    async def answers(self, ids: Iterable[UUID]) -> Mapping[UUID, Rejection | None]:
        return {id: None for id in ids if id in self.accepted}


class FakeCheckpoints:
    """The checkpoint of one partition."""

    position = 0

    async def read(self, *_: Any) -> Checkpoint:
        return Checkpoint(self.position, 0)

    async def advance(self, _: Any, partition: int, position: int, generation: int) -> None:
        self.position = position


class Bench:
    """A delivery with fakes around it."""

    def __init__(self, *, has_side_effects: bool = False) -> None:
        self.log, self.checkpoints = FakeLog(), FakeCheckpoints()
        self.sent: list[UUID] = []
        self.handled: list[UUID] = []
        self.raising: dict[UUID, Exception] = {}
        self.parked: list[tuple[int, Exception]] = []
        self.stores: Any = {CONTEXT: self}
        logs: Any = {CONTEXT: self.log}
        sender: Any = self
        self.turns = Turns()
        self.delivery = Delivery(
            "todo.remind", logs, self.stores, sender, self.handle, lambda _: has_side_effects, self.park, self.turns
        )

    async def send(self, commands: Sequence[tuple[ContextName, CommandEnvelope[Command], str]]) -> None:
        self.sent += [envelope.id for _, envelope, _ in commands]

    async def park(self, context: ContextName, partition: int, position: int, error: Exception) -> None:
        assert (context, partition) == (CONTEXT, 0)
        self.parked.append((position, error))

    async def handle(self, envelope: CommandEnvelope[Command]) -> None:
        if envelope.id in self.raising:
            raise self.raising[envelope.id]
        self.handled.append(envelope.id)
        self.log.accepted.add(envelope.id)

    async def deliver(self, position: int, *commands: OutgoingCommand) -> None:
        progress = await self.delivery.progress(CONTEXT, 0)
        await self.delivery.send([Sending(progress, position, commands)])

    async def confirm(self, seconds: float = 0.05) -> None:
        task = asyncio.create_task(self.delivery.confirm())
        await asyncio.sleep(seconds)
        task.cancel()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CONFIRM_SECONDS", 0.005)


async def test_the_checkpoint_waits_for_the_oldest_command() -> None:
    bench, first, second = Bench(), outgoing(), outgoing()
    await bench.deliver(3, first)
    await bench.deliver(5, second)
    await bench.deliver(9)
    assert bench.sent == [first.id, second.id]

    bench.log.accepted.add(second.id)
    await bench.confirm()
    assert bench.checkpoints.position == 0
    assert await bench.delivery.position(CONTEXT, 0) == 9

    bench.log.accepted.add(first.id)
    await bench.confirm()
    assert bench.checkpoints.position == 9


async def test_a_command_that_follows_is_sent_and_waited_for() -> None:
    bench, follower = Bench(), outgoing()
    first = outgoing(follower)
    await bench.deliver(3, first)

    bench.log.accepted.add(first.id)
    await bench.confirm()
    assert (bench.sent, bench.checkpoints.position) == ([first.id, follower.id], 0)

    bench.log.accepted.add(follower.id)
    await bench.confirm()
    assert bench.checkpoints.position == 3


async def test_an_overdue_command_is_sent_again_and_then_handled_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OVERDUE_SECONDS", 0.02)
    bench, command = Bench(), outgoing()
    await bench.deliver(3, command)

    await bench.confirm(0.3)

    assert bench.sent == [command.id, command.id]
    assert bench.handled == [command.id]
    assert bench.checkpoints.position == 3


async def test_a_command_with_side_effects_is_only_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OVERDUE_SECONDS", 0.02)
    bench, command = Bench(has_side_effects=True), outgoing()
    await bench.deliver(3, command)

    await bench.confirm(0.3)

    assert len(bench.sent) > 2
    assert bench.handled == []


def test_the_pauses_before_sending_again_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    command = outgoing()
    monkeypatch.setattr(module, "OVERDUE_SECONDS", 5.0)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)

    overdue = [InFlight(1, {command.id: command}, 100.0 - waited, n).is_overdue for n, waited in enumerate((5.1, 9.9, 20.1))]

    assert overdue == [True, False, True]
    assert not InFlight(1, {}, 0.0).is_overdue


@pytest.mark.parametrize(("limit", "value"), [("MAX_IN_FLIGHT", 1), ("MAX_BYTES_IN_FLIGHT", 3)])
async def test_it_waits_for_room_while_too_many_or_too_large_commands_are_in_flight(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, limit, value)
    bench, commands = Bench(), [outgoing(), outgoing()]
    await bench.deliver(3, *commands)
    waiting = asyncio.create_task(bench.delivery.wait_for_room())
    await bench.confirm()
    assert not waiting.done()

    bench.log.accepted.add(commands[0].id)
    await bench.confirm()

    await asyncio.wait_for(waiting, 1)


async def test_it_waits_no_longer_while_no_command_gets_its_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 1)
    monkeypatch.setattr(module, "MAX_SILENCE_SECONDS", 0.3)
    bench, commands = Bench(), [outgoing() for _ in range(4)]
    await bench.deliver(3, *commands)
    confirming = asyncio.create_task(bench.delivery.confirm())
    waiting = asyncio.create_task(bench.delivery.wait_for_room())
    await asyncio.sleep(0.2)
    bench.log.accepted.add(commands[0].id)
    await asyncio.sleep(0.2)
    assert not waiting.done(), "one got its receipt 0.2 s ago"

    with pytest.raises(Unavailable, match=r"3 commands of .* wait for their receipts"):
        await asyncio.wait_for(waiting, 1)
    with pytest.raises(Unavailable):
        await bench.delivery.wait_for_room()
    confirming.cancel()


async def test_receipts_are_found_while_another_context_is_out_of_reach() -> None:
    other = ContextName("todo", "lists")
    bench, commands = Bench(), [outgoing(), replace(outgoing(), context=other)]
    bench.log.accepted |= {command.id for command in commands}

    class Away:
        async def answers(self, ids: Iterable[UUID]) -> Mapping[UUID, Rejection | None]:
            raise Unavailable

    logs: Any = {CONTEXT: bench.log, other: Away()}
    assert await outcomes_of(logs, commands) == {commands[0].id: None}


async def test_a_partition_that_has_gone_makes_room_and_starts_from_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 0)
    bench = Bench()
    await bench.deliver(3, outgoing())
    waiting = asyncio.create_task(bench.delivery.wait_for_room())
    await asyncio.sleep(0)

    bench.delivery.invalidate(CONTEXT, 0)
    await asyncio.wait_for(waiting, 1)

    assert await bench.delivery.position(CONTEXT, 0) == 0


async def test_events_without_commands_are_not_lost_while_a_checkpoint_moves() -> None:
    bench, command = Bench(), outgoing()
    await bench.deliver(3, command)
    bench.log.accepted.add(command.id)
    advance = bench.checkpoints.advance

    async def and_more(_: Any, partition: int, position: int, generation: int) -> None:
        if position == 3:
            await bench.deliver(5)
        await advance(_, partition, position, generation)

    bench.checkpoints.advance = and_more  # type: ignore[method-assign]
    await bench.confirm()

    assert bench.checkpoints.position == 5


async def test_dead_letters_are_handled_here_with_what_follows() -> None:
    bench, follower = Bench(), outgoing()
    first = outgoing(follower)

    assert await bench.delivery.are_handled_here([first])
    assert bench.handled == [first.id, follower.id]
    assert bench.sent == []


async def test_an_event_is_parked_if_the_decision_on_one_of_its_commands_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OVERDUE_SECONDS", 0.02)
    bench = Bench()
    fine, broken, behind = outgoing(position=3), outgoing(position=4), outgoing(position=5)
    slip = ZeroDivisionError("a slip")
    bench.raising[broken.id] = slip
    await bench.deliver(5, fine, broken, behind)

    await bench.confirm(0.3)

    assert bench.parked == [(4, slip)]
    assert bench.handled == [fine.id, behind.id]
    assert bench.checkpoints.position == 5


async def test_nothing_is_followed_up_while_something_is_handled_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OVERDUE_SECONDS", 0.02)
    bench, command = Bench(), outgoing()
    await bench.deliver(3, command)
    sent = len(bench.sent)

    async with bench.turns.alone():
        await bench.confirm(0.3)
        assert (len(bench.sent), bench.handled) == (sent, [])

    await bench.confirm(0.3)
    assert bench.handled == [command.id]


async def test_no_cancellation_is_lost_wherever_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    await bench.deliver(3, outgoing())

    assert await is_never_lost(bench.delivery.confirm, monkeypatch)
