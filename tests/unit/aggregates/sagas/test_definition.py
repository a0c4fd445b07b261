"""Saga definitions: what they say of themselves, and the faults that are found before a saga runs."""

from collections.abc import Mapping
from typing import Any

import pytest

from aggregates.sagas.definition import Reaction, SagaDefinition, Transition
from aggregates.state import State
from schemas.engine.sagas import SagaInput
from schemas.errors import Misconfigured
from schemas.message import Event


class Requested(Event, renamed_from=("Wanted",)):
    trip: str
    guide: str | None = None


class Booked(Event):
    trip: str


class Trip(State):
    trip: str = ""
    guide: str | None = None


def react(trip: Trip, event: Event, input: SagaInput) -> Transition[Trip]:
    return Transition(trip)


def fire(trip: Trip, input: SagaInput) -> Transition[Trip]:
    return Transition(trip)


STARTS: Mapping[type[Event], Reaction[Any]] = {Requested: Reaction("trip", react, starts=True)}


def test_an_event_finds_its_saga_by_a_field_or_a_function() -> None:
    assert Reaction("trip", react).key_of(Requested(trip="t")) == "t"
    assert Reaction("guide", react).key_of(Requested(trip="t")) is None
    assert Reaction(lambda event: event.message_name, react).key_of(Requested(trip="t")) == "Requested"


def test_an_event_is_found_by_every_name_that_it_had() -> None:
    trip = SagaDefinition("trip", Trip, STARTS)

    assert [trip.event(name) for name in ("Requested", "Wanted", "Booked")] == [Requested, Requested, None]


def test_references_are_fields_of_the_state_or_a_function_of_it_without_those_that_are_missing() -> None:
    state = Trip(trip="t")

    assert SagaDefinition("trip", Trip, STARTS, references=("trip", "guide")).references_of(state) == {"trip": "t"}
    own = SagaDefinition("trip", Trip, STARTS, references=lambda state: {"number": len(state.trip)})
    assert own.references_of(state) == {"number": "1"}


def test_successors_are_empty_or_complete() -> None:
    ordered: dict[type[Event], Reaction[Any]] = {
        Requested: Reaction("trip", react, starts=True, then=(Booked,)),
        Booked: Reaction("trip", react, then=()),
    }

    assert SagaDefinition("trip", Trip, STARTS).successors == {}
    assert SagaDefinition("trip", Trip, ordered).successors == {"Requested": {"Booked"}, "Booked": frozenset()}
    with pytest.raises(Misconfigured, match="does not say which events may follow Booked"):
        SagaDefinition("trip", Trip, {**ordered, Booked: Reaction("trip", react)})


def test_its_full_name_has_the_name_of_its_system() -> None:
    assert SagaDefinition("trip", Trip, STARTS).of("travel").full_name == "travel.trip"


@pytest.mark.parametrize(
    ("reactions", "timers", "why"),
    [
        ({Requested: Reaction("trip", react)}, {}, "no event starts the saga 'trip': one reaction needs starts=True"),
        ({Requested: Reaction("tour", react, starts=True)}, {}, "finds Requested by 'tour', which is no field of it"),
        (STARTS, {"timeout/payment": fire}, "the timer 'timeout/payment' of the saga 'trip' begins with 'timeout/'"),
    ],
)
def test_a_saga_that_cannot_work_is_rejected(reactions: Any, timers: Any, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        SagaDefinition("trip", Trip, reactions, on_timer=timers)
