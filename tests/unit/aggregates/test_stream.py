"""Streams: their states, and how decisions use them."""

import pytest

from aggregates.decision import Decision, Events
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists, Misconfigured, Rejected
from schemas.message import Command, Event


class Counted(Event):
    by: int


class Dismissed(Event, retired=True):
    by: int


class Begin(Command):
    by: int


class Count(Command):
    counter: str
    by: int


class Total(State):
    total: int = 0


def evolve(total: Total, event: Counted) -> Total:
    return total.replace(total=total.total + event.by)


COUNTER = Stream("counter", Total, evolve, noun="counter of things")
EVERYTHING = Stream("everything", Total, evolve, only="all")
ALL = EVERYTHING.create_or_change()


def begin(command: CommandEnvelope[Begin]) -> Events:
    yield Counted(by=command.data.by)


def count(command: CommandEnvelope[Count], counter: Total, everything: Total) -> Events:
    if command.data.by > counter.total:
        raise Rejected("too much at once")
    yield ALL.records(Counted(by=everything.total + 1))
    yield Counted(by=command.data.by)


DECISIONS = (
    Decision(Begin, COUNTER.create(), begin),
    Decision(Count, COUNTER.change("counter"), count, writes=(ALL,)),
)


def test_a_state_is_the_fold_of_its_events() -> None:
    assert COUNTER.fold(Total(), [Counted(by=2), Counted(by=3)]) == Total(total=5)
    assert (COUNTER.name("a-b"), COUNTER.key("counter-a-b")) == ("counter-a-b", "a-b")


def test_a_created_stream_must_not_exist_and_a_changed_one_must() -> None:
    scenario = Scenario(DECISIONS)
    scenario.when(Begin(by=2)).then(Counted(by=2))
    assert scenario.streams == (f"counter-{FIRST_ID}",)
    scenario.when(Begin(by=2)).then_rejected(AlreadyExists, f"the counter of things {FIRST_ID} exists already")
    scenario.when(Count(counter="b", by=1)).then_rejected(Rejected, "there is no counter of things b")


def test_a_decision_records_in_every_stream_that_it_writes() -> None:
    scenario = Scenario(DECISIONS).given("counter-a", Counted(by=9)).given("everything-all", Counted(by=4))
    scenario.when(Count(counter="a", by=1)).then(Counted(by=1), Counted(by=5))
    assert scenario.streams == ("counter-a", "everything-all")
    scenario.when(Count(counter="a", by=50)).then_rejected(containing="too much")


def test_a_decision_that_cannot_work_is_noticed_where_it_is_declared() -> None:
    takes = r"calls count\(command, the state of counter\), but it takes command, counter, everything"
    with pytest.raises(Misconfigured, match=takes):
        Decision(Count, COUNTER.change("counter"), count)
    with pytest.raises(Misconfigured, match="finds the stream 'counter' by 'countre', which is no field of it"):
        Decision(Begin, COUNTER.create("countre"), begin)
    with pytest.raises(Misconfigured, match="without a hyphen"):
        Stream("a-b")


def test_an_event_that_nobody_may_record_is_noticed() -> None:
    def elsewhere(command: CommandEnvelope[Begin]) -> Events:
        yield ALL.records(Counted(by=1))

    def retired(command: CommandEnvelope[Begin]) -> Events:
        yield Dismissed(by=1)

    for decide, why in ((elsewhere, "not among its writes"), (retired, "Dismissed, which is retired")):
        with pytest.raises(Misconfigured, match=why):
            Scenario((Decision(Begin, COUNTER.create(), decide),)).when(Begin(by=1), at=MIDNIGHT)


class Move(Command):
    source: str
    target: str
    by: int


TARGET = COUNTER.change("target")


def move(command: CommandEnvelope[Move], source: Total, target: Total) -> Events:
    yield Counted(by=-command.data.by)
    yield TARGET.records(Counted(by=command.data.by))


def test_a_decision_may_be_about_two_streams_of_one_category_but_not_twice_about_the_same() -> None:
    scenario = Scenario((Decision(Move, COUNTER.change("source"), move, writes=(TARGET,)),))
    scenario.given("counter-a", Counted(by=9)).given("counter-b", Counted(by=1))
    scenario.when(Move(source="a", target="b", by=2)).then(Counted(by=-2), Counted(by=2))
    assert scenario.streams == ("counter-a", "counter-b")
    scenario.when(Move(source="a", target="a", by=2)).then_rejected(containing="names the counter of things a twice")
