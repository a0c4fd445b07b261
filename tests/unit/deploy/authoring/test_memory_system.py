"""A system in memory: policies and sagas react before a command returns."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from aggregates.decision import Decision, Events
from aggregates.policy import Policy
from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.state import State
from aggregates.stream import Stream
from aggregates.system import Domain
from deploy.authoring.memory_system import Happened, MemorySystem
from schemas.engine.sagas import SagaInput
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import Misconfigured, Rejected
from schemas.message import Command, Event
from schemas.system import Context, System

DAY = timedelta(days=1)


class Register(Command):
    name: str


class Welcome(Command):
    name: str


class Registered(Event):
    name: str


class Welcomed(Event):
    name: str


def register(command: CommandEnvelope[Register]) -> Events:
    yield Registered(name=command.data.name)


def welcome(command: CommandEnvelope[Welcome]) -> Events:
    if command.data.name == "nobody":
        raise Rejected("nobody is not welcome")
    yield Welcomed(name=command.data.name)


def greet(event: RecordedEvent[Any]) -> Iterable[Command]:
    yield Welcome(name=event.data.name)


USER, GREETING = Stream("user"), Stream("greeting")
SYSTEM = System("club", (Context("members", commands=(Register, Welcome), events=(Registered, Welcomed)),))
DECISIONS = (Decision(Register, USER.create("name"), register), Decision(Welcome, GREETING.create("name"), welcome))


def club(*policies: Policy) -> MemorySystem:
    return MemorySystem(SYSTEM, Domain(DECISIONS, policies), ())


def said(happened: list[Happened]) -> list[str]:
    return [
        f"{one.rejected[0]}: {one.rejected[1].detail}" if one.rejected else one.event.stream if one.event else "?"
        for one in happened
    ]


async def test_a_policy_reacts_at_once_and_its_events_follow() -> None:
    happened = await club(Policy("greeting", {Registered: greet})).send(Register(name="ann"))

    assert said(happened) == ["user-ann", "greeting-ann"]
    first, second = (one.event for one in happened)
    assert first is not None
    assert second is not None
    assert second.metadata.causation_id == str(first.id)


async def test_a_rejected_command_of_a_policy_is_reported() -> None:
    happened = await club(Policy("greeting", {Registered: greet})).send(Register(name="nobody"))

    assert said(happened) == ["user-nobody", "welcome: nobody is not welcome"]


async def test_a_repeated_key_is_rejected() -> None:
    system = club()
    await system.send(Register(name="ann"))

    assert said(await system.send(Register(name="ann"))) == ["register: the user ann exists already"]


@pytest.mark.timeout(20)
async def test_policies_that_answer_each_other_without_end_are_stopped() -> None:
    numbers = count()

    def again(_: RecordedEvent[Any]) -> Iterable[Command]:
        yield Register(name=str(next(numbers)))

    with pytest.raises(Misconfigured, match="more than 1000 commands follow from one"):
        await club(Policy("echo", {Registered: again})).send(Register(name="a"))


class Membership(State):
    name: str = ""


def joined(_: Membership, event: Registered, input: SagaInput) -> Transition[Membership]:
    due = {"second": input.at + 2 * DAY, "first": input.at + DAY}
    return Transition(Membership(name=event.name), set_timers=due)


def reminded(membership: Membership, input: SagaInput) -> Transition[Membership]:
    return Transition(membership, send=[Send(Welcome(name=f"{membership.name}-{input.name}"))])


MEMBERSHIP = SagaDefinition(
    "membership",
    Membership,
    {Registered: Reaction("name", joined, starts=True)},
    on_timer={"first": reminded, "second": reminded},
)


async def test_timers_fire_in_order_while_it_waits_and_never_twice() -> None:
    system = MemorySystem(SYSTEM, Domain(DECISIONS, sagas=(MEMBERSHIP,)), ())
    await system.send(Register(name="ann"))

    assert await system.wait(DAY / 2) == []
    assert [name for name in said(await system.wait(2 * DAY)) if name.startswith("greeting")] == [
        "greeting-ann-first", "greeting-ann-second",
    ]  # fmt: skip
    assert await system.wait(365 * DAY) == []
