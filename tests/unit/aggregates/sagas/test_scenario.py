"""Scenarios of sagas: they fail with what happened instead."""

from datetime import timedelta

import pytest

from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.sagas.scenario import SagaScenario
from aggregates.state import State
from schemas.engine.sagas import SagaInput
from schemas.message import Command, Event

DAY = timedelta(days=1)


class Requested(Event):
    trip: str


class Remind(Command):
    trip: str
    days: int


class Trip(State):
    trip: str = ""


def requested(_: Trip, event: Requested, input: SagaInput) -> Transition[Trip]:
    return Transition(Trip(trip=event.trip), set_timers={"late": input.at + 2 * DAY, "soon": input.at + DAY})


def remind(days: int, trip: Trip) -> Transition[Trip]:
    return Transition(trip, send=[Send(Remind(trip=trip.trip, days=days))])


TRIP = SagaDefinition(
    "trip",
    Trip,
    {Requested: Reaction("trip", requested, starts=True)},
    on_timer={"soon": lambda trip, input: remind(1, trip), "late": lambda trip, input: remind(2, trip)},
)


def started() -> SagaScenario:
    return SagaScenario(TRIP).happens(Requested(trip="t"))


def test_timers_fire_in_the_order_in_which_they_are_due_and_at_their_time() -> None:
    started().waits(DAY / 2).sends().waits(3 * DAY).sends(Remind(trip="t", days=1), Remind(trip="t", days=2))
    started().waits(DAY).sends(Remind(trip="t", days=1)).waits(DAY).sends(Remind(trip="t", days=2))


def test_another_command_or_status_fails_with_what_happened() -> None:
    with pytest.raises(AssertionError, match="sent "):
        started().waits(DAY).sends()
    with pytest.raises(AssertionError, match="it is running: None"):
        started().becomes("completed")
    with pytest.raises(AssertionError, match="its reason is 'no longer wanted'"):
        started().is_cancelled().becomes("cancelled", because="another reason")
    with pytest.raises(AssertionError, match="no command is in flight"):
        started().accepts()


def test_it_is_the_story_of_one_saga() -> None:
    with pytest.raises(AssertionError, match="Requested belongs to another saga: u"):
        started().happens(Requested(trip="u"))
    with pytest.raises(AssertionError, match="nothing has happened yet"):
        SagaScenario(TRIP).is_cancelled()
