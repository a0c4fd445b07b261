"""Deciding: what a decision changes in the streams that it uses."""

import math
import sys
from datetime import datetime

import pytest

from aggregates.deciding import LoadedStream, decide
from aggregates.decision import Decision, Events
from aggregates.scenario import FIRST_ID, MIDNIGHT
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists, Misconfigured, Rejected
from schemas.message import Command, Event


class Added(Event):
    by: int


class Add(Command):
    to: str
    log: str | None = None


class Total(State):
    total: int = 0


def evolve(total: Total, event: Added) -> Total:
    return Total(total=total.total + event.by)


TOTAL, JOURNAL = Stream("total", Total, evolve), Stream("journal", Total, evolve)
ENTRY = JOURNAL.create_or_change(lambda command: command.data.log)
COMMAND = CommandEnvelope(data=Add(to="a"), id=FIRST_ID, at=MIDNIGHT, correlation_id="c")


def add(command: CommandEnvelope[Add], total: Total, journal: Total) -> Events:
    yield Added(by=total.total + 1)
    if command.data.log is not None:
        yield ENTRY.records(Added(by=journal.total + 10))


ADD = Decision(Add, TOTAL.change("to"), add, writes=(ENTRY,))


def loaded(stream: Stream[Total], key: str, *, version: int = 1, total: int = 0) -> LoadedStream:
    return LoadedStream(stream, key, version, Total(total=total))


def test_a_change_holds_the_events_and_the_state_after_them() -> None:
    command = CommandEnvelope(data=Add(to="a", log="j"), id=FIRST_ID, at=MIDNIGHT, correlation_id="c")
    streams = [loaded(TOTAL, "a", total=4), loaded(JOURNAL, "j", version=0)]

    total, journal = decide(ADD, command, streams)

    assert (total.loaded.name, total.events, total.state) == ("total-a", (Added(by=5),), Total(total=9))
    assert (journal.loaded.name, journal.events, journal.state) == ("journal-j", (Added(by=10),), Total(total=10))


def test_a_stream_that_is_missing_this_time_is_passed_as_its_initial_state_and_not_changed() -> None:
    assert [change.loaded.name for change in decide(ADD, COMMAND, [loaded(TOTAL, "a"), None])] == ["total-a"]


def test_a_stream_that_was_only_relied_on_is_a_change_without_events() -> None:
    total, journal = decide(ADD, COMMAND, [loaded(TOTAL, "a"), loaded(JOURNAL, "j", total=3)])

    assert total.events
    assert (journal.events, journal.state) == ((), Total(total=3))


def test_a_stream_that_is_not_as_the_decision_expects_rejects_the_command() -> None:
    create = Decision(Add, TOTAL.create("to"), lambda command: [Added(by=1)])

    with pytest.raises(Rejected, match="there is no total a"):
        decide(ADD, COMMAND, [loaded(TOTAL, "a", version=0), None])
    with pytest.raises(AlreadyExists, match="the total a exists already"):
        decide(create, COMMAND, [loaded(TOTAL, "a")])


def test_what_a_decision_cannot_record_is_noticed() -> None:
    nothing = Decision(Add, TOTAL.change("to"), lambda command, total: ["an event"])  # type: ignore[list-item]
    keyless = Decision(Add, TOTAL.change("to"), lambda command, total, journal: [ENTRY.records(Added(by=1))], writes=(ENTRY,))

    with pytest.raises(Misconfigured, match="the decision on Add yields 'an event', which is no event"):
        decide(nothing, COMMAND, [loaded(TOTAL, "a")])
    with pytest.raises(Misconfigured, match="whose key it does not know"):
        decide(keyless, COMMAND, [loaded(TOTAL, "a"), None])


class Weighed(Event):
    by: int = 1
    weight: float = 1
    at: datetime = MIDNIGHT
    notes: dict[str, str] = {}


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Weighed(by=2**63), "the Weighed cannot be stored: /by is a number out of range: integers have 64 bits"),
        (Weighed(weight=math.inf), "the Weighed cannot be stored: /weight is a number out of range"),
        (Weighed(weight=math.nan), "the Weighed cannot be stored: /weight is a number out of range"),
        (Weighed(at=MIDNIGHT.replace(tzinfo=None)), "the Weighed cannot be stored: /at is a time without its offset"),
        (Weighed(notes={"a": "\x00"}), "the Weighed cannot be stored: /notes/a contains the character NUL"),
    ],
)
def test_a_command_whose_event_cannot_be_stored_is_rejected_with_the_fields_name(event: Event, why: str) -> None:
    weigh = Decision(Add, TOTAL.change("to"), lambda command, total: [event])

    with pytest.raises(Rejected, match=why):
        decide(weigh, COMMAND, [loaded(TOTAL, "a")])


def test_a_decision_that_would_end_the_process_is_a_fault() -> None:
    def leave(_: CommandEnvelope[Add], __: Total) -> Events:
        sys.exit(1)
        yield Added(by=1)

    with pytest.raises(RuntimeError, match=r"the decision on Add calls sys\.exit"):
        decide(Decision(Add, TOTAL.change("to"), leave), COMMAND, [loaded(TOTAL, "a")])
