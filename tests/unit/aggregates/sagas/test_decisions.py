"""Sagas: a trip that books a car, then a room, and is compensated if it cannot be completed."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.sagas.saga import Saga, evolve
from aggregates.sagas.scenario import SagaScenario
from aggregates.sagas.successors import Defer
from aggregates.scenario import MIDNIGHT
from aggregates.state import State, state_schema_of
from schemas.engine.sagas import CommandOutcome, SagaAdvanced, SagaInput
from schemas.errors import Misconfigured, Rejected, UnexpectedEvent, Unusable
from schemas.message import Command, Event

A_DAY = timedelta(days=1)


class TripRequested(Event):
    trip: str


class CarBooked(Event):
    trip: str
    plate: str


class RoomBooked(Event):
    trip: str


class BookCar(Command):
    trip: str


class GiveCarBack(Command):
    trip: str


class BookRoom(Command):
    trip: str


class CancelRoom(Command):
    trip: str


class Remind(Command):
    trip: str


class Trip(State):
    trip: str = ""
    plate: str | None = None
    reminders: int = 0


def requested(trip: Trip, event: TripRequested, input: SagaInput) -> Transition[Trip]:
    return Transition(
        trip.replace(trip=event.trip),
        send=[Send(BookCar(trip=event.trip), compensation=GiveCarBack(trip=event.trip))],
        set_timers={"car": input.at + A_DAY},
    )


def car_booked(trip: Trip, event: CarBooked, input: SagaInput) -> Transition[Trip]:
    if event.plate == "no plate":
        raise ZeroDivisionError("a fault")
    return Transition(
        trip.replace(plate=event.plate),
        send=[Send(BookRoom(trip=event.trip), compensation=CancelRoom(trip=event.trip))],
        cancel_timers=["car"],
    )


def room_booked(trip: Trip, event: RoomBooked, input: SagaInput) -> Transition[Trip] | Defer:
    if trip.plate is None:
        return Defer("the room came before the car", timedelta(minutes=1))
    if trip.plate == "stolen":
        raise UnexpectedEvent("no room for a stolen car")
    return Transition(trip, status="completed")


def car_is_late(trip: Trip, input: SagaInput) -> Transition[Trip]:
    if trip.reminders == 2:
        return Transition(trip, status="failed", reason="there is no car")
    reminded = trip.replace(reminders=trip.reminders + 1)
    return Transition(reminded, send=[Send(Remind(trip=trip.trip))], set_timers={"car": input.at + A_DAY})


def no_reminder(trip: Trip, outcome: CommandOutcome, input: SagaInput) -> Transition[Trip]:
    return Transition(trip, status="in_review", reason=f"nobody can be reminded: {outcome.rejection}")


TRIP = SagaDefinition(
    "trip",
    Trip,
    {
        TripRequested: Reaction("trip", requested, starts=True),
        CarBooked: Reaction("trip", car_booked),
        RoomBooked: Reaction("trip", room_booked),
    },
    on_rejected={Remind: no_reminder},
    on_timer={"car": car_is_late},
    references=("plate",),
)
REQUESTED = TripRequested(trip="t")
CAR, ROOM = CarBooked(trip="t", plate="B 1"), RoomBooked(trip="t")


def begun() -> SagaScenario:
    return SagaScenario(TRIP).happens(REQUESTED)


def with_both_in_flight() -> SagaScenario:
    return begun().accepts().happens(CAR)


def test_a_saga_runs_to_its_end() -> None:
    story = begun().sends(BookCar(trip="t")).becomes("running")
    story.accepts().sends().happens(CAR).sends(BookRoom(trip="t"))
    story.accepts().happens(ROOM).sends().becomes("completed")
    assert story.steps[0].references == {"plate": "B 1"}


def test_an_event_that_arrives_twice_counts_once() -> None:
    story = begun()
    car = uuid4()
    story.happens(CAR, id=car).sends(BookRoom(trip="t"))
    story.happens(CAR, id=car).sends()
    assert story.steps == ()


def test_an_event_before_the_first_is_deferred() -> None:
    story = SagaScenario(TRIP).happens(CAR).sends()
    assert [step.step_status for step in story.steps] == ["received"]
    story.happens(REQUESTED).sends(BookCar(trip="t"), BookRoom(trip="t"))
    assert [(step.input.name, step.step_status) for step in story.steps] == [
        ("TripRequested", "handled"),
        ("CarBooked", "handled"),
    ]


def test_an_early_event_is_deferred_and_reported_after_its_timeout() -> None:
    story = begun().happens(ROOM)
    assert [step.step_status for step in story.steps] == ["received"]
    story.waits(timedelta(minutes=1)).has_problem("no event that it may follow")
    assert [(step.input.name, step.step_status) for step in story.steps] == [("RoomBooked", "failed")]
    story.happens(CAR).becomes("completed")


def test_an_unexpected_event_is_reported_and_changes_nothing() -> None:
    story = begun().happens(CarBooked(trip="t", plate="stolen"))
    before = story.saga.state
    story.happens(ROOM).has_problem("stolen").becomes("running")
    assert story.saga.state == before
    assert story.steps[0].step_status == "failed"


def test_a_rejected_command_compensates_everything_the_newest_first() -> None:
    story = with_both_in_flight().accepts()
    story.happens(CarBooked(trip="t", plate="B 2")).rejects("full").becomes(
        "compensating", because="book-room was rejected: full"
    )
    story.sends(CancelRoom(trip="t"))
    story.accepts().sends(GiveCarBack(trip="t")).becomes("compensating")
    story.accepts().sends().becomes("failed", because="full")


def test_nothing_is_compensated_before_every_command_has_an_outcome() -> None:
    story = begun().happens(CAR)
    story.is_cancelled("it rains").becomes("compensating", because="it rains").sends()
    story.accepts().sends()
    story.accepts().sends(CancelRoom(trip="t"))
    story.accepts().sends(GiveCarBack(trip="t"))
    story.accepts().becomes("cancelled", because="it rains")


def test_a_rejected_command_is_not_compensated() -> None:
    begun().rejects("no car").sends().becomes("failed", because="book-car was rejected: no car")


def test_a_rejected_compensation_is_reported_and_tried_again_by_an_operator() -> None:
    story = with_both_in_flight().rejects("full").sends(GiveCarBack(trip="t"))
    story.rejects("closed").has_problem("the compensation was rejected: closed").becomes("compensating").sends()
    story.is_retried().sends(GiveCarBack(trip="t"))
    story.accepts().becomes("failed", because="full")


def test_a_rejection_may_lead_elsewhere() -> None:
    begun().accepts().waits(A_DAY).sends(Remind(trip="t")).rejects("no address").becomes("in_review", because="no address")


def test_a_timer_fires_once_and_may_be_set_again() -> None:
    story = begun().accepts()
    story.waits(A_DAY - timedelta(seconds=1)).sends()
    story.waits(timedelta(seconds=1)).sends(Remind(trip="t"))
    story.accepts().waits(A_DAY).sends(Remind(trip="t"))
    story.accepts().waits(A_DAY).sends(GiveCarBack(trip="t")).becomes("compensating", because="there is no car")


def test_a_cancelled_timer_does_not_fire() -> None:
    story = with_both_in_flight()
    assert story.saga.timers == {}
    story.waits(A_DAY).sends()


def test_no_timer_outlives_its_saga() -> None:
    assert begun().is_cancelled().accepts().accepts().becomes("cancelled").saga.timers == {}


def test_a_fault_in_a_reaction_is_reported_and_loses_nothing() -> None:
    story = begun().happens(CarBooked(trip="t", plate="no plate")).has_problem("ZeroDivisionError: a fault").becomes("running")
    assert [one.input.name for one in story.saga.deferred.values()] == ["CarBooked"]


def test_a_fault_in_a_reaction_to_a_rejection_is_reported_and_tried_again() -> None:
    broken = True

    def no_car(trip: Trip, outcome: CommandOutcome, input: SagaInput) -> Transition[Trip]:
        if broken:
            raise ZeroDivisionError("a fault")
        return Transition(trip, status="in_review", reason=outcome.rejection)

    story = SagaScenario(replace(TRIP, on_rejected={BookCar: no_car})).happens(REQUESTED)
    story.rejects("closed").has_problem("ZeroDivisionError: a fault").becomes("running")
    broken = False
    story.is_retried().becomes("in_review", because="closed")
    assert story.saga.deferred == {}


def test_a_fault_is_reported_with_the_line_of_the_sagas_code_that_led_to_it() -> None:
    def raises(trip: Trip, event: Event, input: SagaInput) -> Transition[Trip]:
        return Transition(trip.replace(trip=str(UUID("no id"))))

    reactions: dict[type[Event], Reaction[Any]] = {**TRIP.reactions, CarBooked: Reaction("trip", raises)}
    story = SagaScenario(replace(TRIP, reactions=reactions)).happens(REQUESTED).happens(CAR)

    line = raises.__code__.co_firstlineno + 1
    story.has_problem(f"the reaction failed: ValueError: badly formed hexadecimal UUID string ({__name__}, line {line})")


@pytest.mark.parametrize("returned", [None, Transition(Trip(), send=[BookCar(trip="t")])])  # type: ignore[list-item]
def test_a_transition_that_cannot_be_recorded_is_reported_once_and_loses_nothing(returned: object) -> None:
    reactions: dict[type[Event], Reaction[Any]] = {**TRIP.reactions}
    reactions[CarBooked] = Reaction("trip", lambda trip, event, input: returned)  # type: ignore[arg-type,return-value]
    story = SagaScenario(replace(TRIP, reactions=reactions)).happens(REQUESTED).happens(CAR)
    story.has_problem("the reaction failed").becomes("running")
    assert [step.step_status for step in story.steps] == ["failed"]
    story.is_retried().sends()
    assert [one.input.name for one in story.saga.deferred.values()] == ["CarBooked"]


def test_a_rejection_is_kept_until_it_is_reacted_to() -> None:
    returned: list[Transition[Trip]] = []

    def no_car(trip: Trip, outcome: CommandOutcome, input: SagaInput) -> Transition[Trip]:
        return returned[0]

    story = SagaScenario(replace(TRIP, on_rejected={BookCar: no_car})).happens(REQUESTED)
    story.rejects("closed").has_problem("IndexError")
    returned.append(Transition(Trip(), send=[BookCar(trip="t")]))  # type: ignore[list-item]
    story.is_retried().becomes("running")
    returned[0] = Transition(Trip(), status="in_review", reason="closed")
    story.is_retried().becomes("in_review", because="closed")


class FaultyTimer:
    """A reaction to the timer that fails until it is repaired."""

    def __init__(self) -> None:
        self.repaired = False
        self.story = SagaScenario(replace(TRIP, on_timer={"car": self.late})).happens(REQUESTED).accepts()
        self.story.waits(A_DAY).has_problem("a fault").sends()

    def late(self, trip: Trip, input: SagaInput) -> Transition[Trip]:
        if not self.repaired:
            raise ZeroDivisionError("a fault")
        return car_is_late(trip, input)


def test_a_failed_timer_is_tried_again() -> None:
    faulty = FaultyTimer()
    faulty.repaired = True
    faulty.story.is_retried().sends(Remind(trip="t"))
    assert faulty.story.saga.timers == {"car": MIDNIGHT + 2 * A_DAY}
    assert faulty.story.saga.deferred == {}


def test_a_failed_timer_is_dropped_when_it_is_cancelled() -> None:
    faulty = FaultyTimer()
    faulty.story.happens(CAR).sends(BookRoom(trip="t"))
    faulty.repaired = True
    assert faulty.story.saga.deferred == {}


def test_a_failed_timer_is_dropped_when_it_is_set_again() -> None:
    faulty = FaultyTimer()
    faulty.story.happens(REQUESTED).sends(BookCar(trip="t"))
    assert faulty.story.saga.deferred == {}
    assert faulty.story.saga.timers == {"car": MIDNIGHT + 2 * A_DAY}


def test_nothing_is_retried_or_cancelled_without_need() -> None:
    with pytest.raises(Rejected, match="nothing to try again"):
        begun().is_retried()
    story = with_both_in_flight().accepts().happens(ROOM).becomes("completed")
    with pytest.raises(Rejected, match="completed already"):
        story.is_cancelled()


def test_a_reported_input_stays_reported_when_the_saga_ends() -> None:
    story = begun().happens(CarBooked(trip="t", plate="no plate")).is_cancelled().accepts().accepts().becomes("cancelled")
    assert [one.input.name for one in story.saga.deferred.values()] == ["CarBooked"]
    with pytest.raises(Rejected, match="nothing to try again"):
        story.is_retried()


def test_an_unexpected_event_after_the_end_is_reported() -> None:
    then: dict[type[Event], tuple[type[Event], ...]] = {TripRequested: (CarBooked,), CarBooked: (RoomBooked,), RoomBooked: ()}
    reactions = {event: replace(TRIP.reactions[event], then=followers) for event, followers in then.items()}
    story = SagaScenario(replace(TRIP, reactions=reactions)).happens(REQUESTED).happens(CAR).happens(ROOM).becomes("completed")
    story.happens(CAR).has_problem("CarBooked may follow TripRequested, which has not arrived").becomes("completed")
    assert [step.step_status for step in story.steps] == ["failed"]
    assert story.saga.deferred == {}


def test_an_event_after_the_end_is_recorded() -> None:
    story = with_both_in_flight().accepts().happens(ROOM).happens(CAR).sends().becomes("completed")
    assert [step.step_status for step in story.steps] == ["handled"]


def test_a_saga_is_the_fold_of_its_steps() -> None:
    story = begun()
    steps = list(story.steps)
    for happens in (
        story.accepts,
        partial(story.happens, CAR),
        partial(story.rejects, "full"),
        partial(story.rejects, "closed"),
    ):
        happens()
        steps += story.steps
    again = Saga()
    for step in steps:
        again = evolve(again, SagaAdvanced.model_validate_json(step.model_dump_json()))
    assert again == story.saga
    assert Saga.from_snapshot(state_schema_of(Saga), again.model_dump_json()) == again


class TripOfLastYear(State):
    trip: str = ""
    number_plate: str | None = None


def test_a_saga_survives_a_change_of_its_states_class() -> None:
    def booked(trip: TripOfLastYear, event: CarBooked, input: SagaInput) -> Transition[TripOfLastYear]:
        return Transition(trip.replace(trip=event.trip, number_plate=event.plate))

    reactions: dict[type[Event], Reaction[Any]] = {CarBooked: Reaction("trip", booked, starts=True)}
    last_year = SagaScenario(SagaDefinition("trip", TripOfLastYear, reactions)).happens(CAR)
    (step,) = last_year.steps

    class TripOfToday(State, schema_version=2, upcasts={1: lambda old: {"trip": old["trip"], "plate": old["number_plate"]}}):
        trip: str = ""
        plate: str | None = None

    assert step.state_version == 1
    assert step.state is not None
    assert TripOfToday.read(step.state_version, step.state) == TripOfToday(trip="t", plate="B 1")

    class TripWithoutUpcast(State, schema_version=2):
        trip: str = ""

    with pytest.raises(Unusable, match="no upcast from its version 1"):
        TripWithoutUpcast.read(1, step.state)


def test_a_definition_needs_a_start_names_that_differ_and_keys_that_exist() -> None:
    with pytest.raises(Misconfigured, match="no event starts"):
        SagaDefinition("trip", Trip, {CarBooked: Reaction("trip", car_booked)})
    other = type("Other", (Event,), {"__annotations__": {"trip": str}}, name="TripRequested")
    reaction = Reaction("trip", requested, starts=True)
    with pytest.raises(Misconfigured, match="same name"):
        SagaDefinition("trip", Trip, {TripRequested: reaction, other: reaction})
    with pytest.raises(Misconfigured, match="finds TripRequested by 'tripp', which is no field of it; its fields are trip"):
        SagaDefinition("trip", Trip, {TripRequested: Reaction("tripp", requested, starts=True)})


@pytest.mark.parametrize(
    ("state", "timers", "why"),
    [
        (Trip(), {"car": MIDNIGHT.replace(tzinfo=None)}, "is a time without its offset"),
        (Trip(reminders=2**63), {}, "is a number out of range"),
    ],
)
def test_a_step_that_cannot_be_stored_is_reported_as_a_failed_reaction(
    state: Trip, timers: dict[str, datetime], why: str
) -> None:
    slip = replace(
        TRIP, reactions={TripRequested: Reaction("trip", lambda *_: Transition(state, set_timers=timers), starts=True)}
    )

    story = SagaScenario(slip).happens(REQUESTED).sends().becomes("running").has_problem(why)

    assert story.saga.timers == {}


def test_a_recorded_time_without_its_offset_is_utc_for_a_reaction() -> None:
    class Late(Event):
        at: datetime

    def late(trip: Trip, event: Late, input: SagaInput) -> Transition[Trip]:
        return Transition(trip, set_timers={"car": max(event.at, input.at)})

    definition = SagaDefinition("late", Trip, {Late: Reaction(lambda _: "t", late, starts=True)})

    story = SagaScenario(definition).happens(Late(at=MIDNIGHT.replace(tzinfo=None) + A_DAY))

    assert story.saga.timers == {"car": MIDNIGHT + A_DAY}
