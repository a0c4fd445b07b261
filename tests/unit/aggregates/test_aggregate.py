"""The aggregate on eventsourcing's domain layer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from eventsourcing.domain import OriginatorVersionError

from aggregates.aggregate import Aggregate
from aggregates.policy import Policy
from aggregates.scenario import FIRST_ID, MIDNIGHT, recorded
from schemas.data_ingestion.ingestion import DataIngested
from schemas.data_ingestion.processing import ProcessData
from schemas.envelope import RecordedEvent
from schemas.message import Command, Event


class Counted(Event, name="Counted"):
    by: int


class Counter(Aggregate):
    category = "counter"

    def __init__(self) -> None:
        self.total = 0

    def evolve(self, event: Event) -> None:
        assert isinstance(event, Counted)
        self.total += event.by


def test_recorded_events_take_effect_at_once_and_are_handed_over_once() -> None:
    counter = Counter.empty("counter-a", MIDNIGHT)

    counter.record(Counted(by=2))
    counter.record(Counted(by=3))

    assert (counter.total, counter.version, counter.key) == (5, 2, "a")
    assert counter.take_recorded() == (Counted(by=2), Counted(by=3))
    assert counter.take_recorded() == ()


class Special(Counter):
    category = "special"


def test_a_class_that_derives_from_an_aggregate_begins_as_that_does() -> None:
    special = Special.empty("special-a", MIDNIGHT)

    special.record(Counted(by=2))

    assert (special.total, special.state()) == (2, {"total": 2})


def test_replayed_events_must_follow_each_other() -> None:
    counter = Counter.empty("counter-a", MIDNIGHT)
    counter.replay(Counted(by=2), 1, MIDNIGHT)

    with pytest.raises(OriginatorVersionError):
        counter.replay(Counted(by=2), 3, MIDNIGHT)

    assert (counter.total, counter.version, counter.take_recorded()) == (2, 1, ())


def test_a_policys_commands_have_the_same_ids_however_often_it_reacts() -> None:
    ingested = recorded(DataIngested(data_id=FIRST_ID, partner_id="acme", payload={}))
    ask: Mapping[type[Event], Callable[[RecordedEvent[Any]], Iterable[Command]]] = {
        DataIngested: lambda r: [ProcessData(data_id=r.data.data_id, partner_id="a", payload={})] * 2
    }

    first, again = Policy("one", ask).react(ingested), Policy("one", ask).react(ingested)
    other = Policy("two", ask).react(ingested)

    assert first == again
    assert len({id for id, _ in (*first, *other)}) == 4
