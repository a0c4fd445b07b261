"""Outgoing commands: what an event causes, under ids that are always the same, and what follows an outcome."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from aggregates.policy import Policy
from aggregates.scenario import FIRST_ID, recorded
from command_api.policies.outgoing_commands import OutgoingCommands, followers
from schemas.catalog import Catalog
from schemas.envelope import RecordedEvent, Rejection
from schemas.errors import TooLarge
from schemas.message import Command, Event
from schemas.system import Context, ContextName, System

MAIL = ContextName("todo", "mail")


class Finished(Event, name="Finished"):
    pass


class Praise(Command, name="praise"):
    text: str


class Report(Command, name="report"):
    rejected: bool


def praise(event: RecordedEvent[Any]) -> Iterable[Command]:
    yield Praise(text="well")
    yield Praise(text="done")


def report(event: RecordedEvent[Any], ordinal: int, id: UUID, rejection: Rejection | None) -> Command:
    return Report(rejected=rejection is not None)


@pytest.fixture
def catalog() -> Catalog:
    tasks, mail = Context("tasks", events=(Finished,)), Context("mail", commands=(Praise, Report))
    return Catalog.of([System("todo", (tasks, mail))])


def test_commands_carry_what_caused_them(catalog: Catalog) -> None:
    event = recorded(Finished())
    first, second = OutgoingCommands(catalog, Policy("praise", {Finished: praise}).of("todo")).of(event)

    assert [one.envelope.data for one in (first, second)] == [Praise(text="well"), Praise(text="done")]
    assert {one.context for one in (first, second)} == {MAIL}
    assert {one.key for one in (first, second)} == {event.stream}
    assert {one.envelope.causation_id for one in (first, second)} == {str(event.id)}
    assert {one.envelope.correlation_id for one in (first, second)} == {str(FIRST_ID)}
    assert first.id != second.id


def test_a_command_that_its_topic_would_not_accept_is_a_fault_of_the_reaction(catalog: Catalog) -> None:
    policy = Policy("praise", {Finished: praise}).of("todo")

    assert len(OutgoingCommands(catalog, policy, max_command_bytes=len('{"text":"well"}')).of(recorded(Finished()))) == 2
    with pytest.raises(TooLarge, match="the command praise has 15 bytes, more than 14"):
        OutgoingCommands(catalog, policy, max_command_bytes=14).of(recorded(Finished()))


def test_ids_are_the_same_each_time_and_differ_between_systems(catalog: Catalog) -> None:
    policy, event = Policy("praise", {Finished: praise}), recorded(Finished())

    ids = [[one.id for one in OutgoingCommands(catalog, policy.of(system)).of(event)] for system in ("todo", "todo", "done")]

    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])


def test_a_command_follows_each_outcome(catalog: Catalog) -> None:
    policy = Policy("praise", {Finished: praise}, on_outcome=report).of("todo")
    first, second = OutgoingCommands(catalog, policy).of(recorded(Finished()))
    rejection = Rejection("rejected", "no", "c")

    following = followers([first, second], {second.id: rejection})
    assert [one.envelope.data for one in following] == [Report(rejected=True)]
    again = followers([first, second], {first.id: None, second.id: rejection})
    assert [one.envelope.data for one in again] == [Report(rejected=False), Report(rejected=True)]
    assert again[1].id == following[0].id
