"""Processes: a trip that books a car, then a room, and takes back what it booked where it cannot be whole."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from aggregates.sagas.definition import Ids, Next, On, SagaDefinition, Send
from aggregates.sagas.saga import Process
from aggregates.sagas.scenario import SagaScenario
from aggregates.sagas.successors import Rules, Wait
from aggregates.scenario import MIDNIGHT
from schemas.engine.sagas import Answer, Cause, SagaAdvanced
from schemas.errors import Misconfigured, OutsideTheRules, Rejected
from schemas.message import Command, Event

A_DAY = timedelta(days=1)


class TripRequested(Event, name="TripRequested"):
    trip: str


class CarBooked(Event, name="CarBooked"):
    trip: str
    plate: str


class RoomBooked(Event, name="RoomBooked"):
    trip: str


class BookCar(Command, name="book-car"):
    trip: str


class GiveCarBack(Command, name="give-car-back"):
    trip: str


class BookRoom(Command, name="book-room"):
    trip: str


class CancelRoom(Command, name="cancel-room"):
    trip: str


class Remind(Command, name="remind"):
    trip: str


class Trip(BaseModel):
    trip: str = ""
    plate: str | None = None
    reminders: int = 0


def requested(trip: Trip, event: TripRequested, cause: Cause) -> Next[Trip]:
    return Next(
        trip.model_copy(update={"trip": event.trip}),
        send=[Send(BookCar(trip=event.trip), undo=GiveCarBack(trip=event.trip))],
        set_timers={"car": cause.at + A_DAY},
    )


def car_booked(trip: Trip, event: CarBooked, cause: Cause) -> Next[Trip]:
    if event.plate == "no plate":
        raise ZeroDivisionError("a slip")
    return Next(
        trip.model_copy(update={"plate": event.plate}),
        send=[Send(BookRoom(trip=event.trip), undo=CancelRoom(trip=event.trip))],
        cancel_timers=["car"],
    )


def room_booked(trip: Trip, event: RoomBooked, cause: Cause) -> Next[Trip] | Wait:
    if trip.plate is None:
        return Wait("the room came before the car", timedelta(minutes=1))
    if trip.plate == "stolen":
        raise OutsideTheRules("no room for a stolen car")
    return Next(trip, status="completed")


def car_is_late(trip: Trip, cause: Cause) -> Next[Trip]:
    if trip.reminders == 2:
        return Next(trip, status="failed", reason="there is no car")
    reminded = trip.model_copy(update={"reminders": trip.reminders + 1})
    return Next(reminded, send=[Send(Remind(trip=trip.trip))], set_timers={"car": cause.at + A_DAY})


def no_reminder(trip: Trip, answer: Answer, cause: Cause) -> Next[Trip]:
    return Next(trip, status="in_review", reason=f"nobody can be reminded: {answer.rejection}")


TRIP = SagaDefinition(
    "trip",
    Trip,
    {
        TripRequested: On(lambda event: event.trip, requested, begins=True),
        CarBooked: On(lambda event: event.trip, car_booked),
        RoomBooked: On(lambda event: event.trip, room_booked),
    },
    sends=(BookCar, GiveCarBack, BookRoom, CancelRoom, Remind),
    on_rejected={Remind: no_reminder},
    on_timer={"car": car_is_late},
    ids=lambda trip: Ids(real=trip.plate),
)
REQUESTED = TripRequested(trip="t")
CAR, ROOM = CarBooked(trip="t", plate="B 1"), RoomBooked(trip="t")


def begun() -> SagaScenario:
    return SagaScenario(TRIP).happens(REQUESTED)


def with_both_underway() -> SagaScenario:
    return begun().accepts().happens(CAR)


def test_it_leads_to_its_end() -> None:
    story = begun().sends(BookCar(trip="t")).becomes("running")
    story.accepts().sends().happens(CAR).sends(BookRoom(trip="t"))
    story.accepts().happens(ROOM).sends().becomes("completed")
    assert story.steps[0].real_id == "B 1"


def test_an_event_that_comes_twice_counts_once() -> None:
    story = begun()
    car = uuid4()
    story.happens(CAR, id=car).sends(BookRoom(trip="t"))
    story.happens(CAR, id=car).sends()
    assert story.steps == ()


def test_an_event_before_the_first_waits_for_it() -> None:
    story = SagaScenario(TRIP).happens(CAR).sends()
    assert [step.standing for step in story.steps] == ["received"]
    story.happens(REQUESTED).sends(BookCar(trip="t"), BookRoom(trip="t"))
    assert [(step.cause.name, step.standing) for step in story.steps] == [
        ("TripRequested", "processed"),
        ("CarBooked", "processed"),
    ]


def test_an_event_before_its_turn_waits_and_is_reported_when_it_waits_too_long() -> None:
    story = begun().happens(ROOM)
    assert [step.standing for step in story.steps] == ["received"]
    story.waits(timedelta(minutes=1)).has_problem("nothing before it")
    assert [(step.cause.name, step.standing) for step in story.steps] == [("RoomBooked", "failed")]
    story.happens(CAR).becomes("completed")


def test_an_event_outside_the_rules_is_reported_and_changes_nothing() -> None:
    story = begun().happens(CarBooked(trip="t", plate="stolen"))
    before = story.process.knows
    story.happens(ROOM).has_problem("stolen").becomes("running")
    assert story.process.knows == before
    assert story.steps[0].standing == "failed"


def test_a_rejected_command_has_everything_taken_back_the_last_first() -> None:
    story = with_both_underway().accepts()
    story.happens(CarBooked(trip="t", plate="B 2")).rejects("full").becomes(
        "compensating", because="book-room was rejected: full"
    )
    story.sends(CancelRoom(trip="t"))
    story.accepts().sends(GiveCarBack(trip="t")).becomes("compensating")
    story.accepts().sends().becomes("failed", because="full")


def test_nothing_is_taken_back_before_every_command_is_answered() -> None:
    story = begun().happens(CAR)
    story.is_cancelled("it rains").becomes("compensating", because="it rains").sends()
    story.accepts().sends()
    story.accepts().sends(CancelRoom(trip="t"))
    story.accepts().sends(GiveCarBack(trip="t"))
    story.accepts().becomes("cancelled", because="it rains")


def test_what_was_rejected_is_not_taken_back() -> None:
    begun().rejects("no car").sends().becomes("failed", because="book-car was rejected: no car")


def test_what_cannot_be_taken_back_is_told_and_tried_again_by_an_operator() -> None:
    story = with_both_underway().rejects("full").sends(GiveCarBack(trip="t"))
    story.rejects("closed").has_problem("could not be taken back: closed").becomes("compensating").sends()
    story.is_retried().sends(GiveCarBack(trip="t"))
    story.accepts().becomes("failed", because="full")


def test_a_rejection_may_lead_elsewhere() -> None:
    begun().accepts().waits(A_DAY).sends(Remind(trip="t")).rejects("no address").becomes("in_review", because="no address")


def test_a_timer_is_due_once_and_may_be_set_again() -> None:
    story = begun().accepts()
    story.waits(A_DAY - timedelta(seconds=1)).sends()
    story.waits(timedelta(seconds=1)).sends(Remind(trip="t"))
    story.accepts().waits(A_DAY).sends(Remind(trip="t"))
    story.accepts().waits(A_DAY).sends(GiveCarBack(trip="t")).becomes("compensating", because="there is no car")


def test_a_timer_that_was_cancelled_is_not_due_any_more() -> None:
    story = with_both_underway()
    assert story.process.timers == {}
    story.waits(A_DAY).sends()


def test_no_timer_outlives_its_process() -> None:
    assert begun().is_cancelled().accepts().accepts().becomes("cancelled").process.timers == {}


def test_a_slip_in_a_reaction_is_told_and_loses_nothing() -> None:
    story = begun().happens(CarBooked(trip="t", plate="no plate")).has_problem("ZeroDivisionError: a slip").becomes("running")
    assert [cause.name for cause, _ in story.process.waiting.values()] == ["CarBooked"]


def test_a_slip_in_a_reaction_to_a_rejection_is_told_and_tried_again() -> None:
    broken = True

    def no_car(trip: Trip, answer: Answer, cause: Cause) -> Next[Trip]:
        if broken:
            raise ZeroDivisionError("a slip")
        return Next(trip, status="in_review", reason=answer.rejection)

    story = SagaScenario(replace(TRIP, on_rejected={BookCar: no_car})).happens(REQUESTED)
    story.rejects("closed").has_problem("ZeroDivisionError: a slip").becomes("running")
    broken = False
    story.is_retried().becomes("in_review", because="closed")
    assert story.process.waiting == {}


@pytest.mark.parametrize("returned", [None, Next(Trip(), send=[BookCar(trip="t")])])  # type: ignore[list-item]
def test_what_cannot_be_recorded_is_told_once_and_loses_nothing(returned: object) -> None:
    on: dict[type[Event], On[Any]] = {**TRIP.on}
    on[CarBooked] = On(lambda event: event.trip, lambda trip, event, cause: returned)  # type: ignore[arg-type,return-value]
    story = SagaScenario(replace(TRIP, on=on)).happens(REQUESTED).happens(CAR).has_problem("broke down").becomes("running")
    assert [step.standing for step in story.steps] == ["failed"]
    story.is_retried().sends()
    assert [cause.name for cause, _ in story.process.waiting.values()] == ["CarBooked"]


def test_a_rejection_keeps_its_answer_until_it_is_reacted_to() -> None:
    returned: list[Next[Trip]] = []

    def no_car(trip: Trip, answer: Answer, cause: Cause) -> Next[Trip]:
        return returned[0]

    story = SagaScenario(replace(TRIP, on_rejected={BookCar: no_car})).happens(REQUESTED)
    story.rejects("closed").has_problem("IndexError")
    returned.append(Next(Trip(), send=[BookCar(trip="t")]))  # type: ignore[list-item]
    story.is_retried().becomes("running")
    returned[0] = Next(Trip(), status="in_review", reason="closed")
    story.is_retried().becomes("in_review", because="closed")


class Slips:
    """A reaction to the timer that breaks down until somebody mends it."""

    def __init__(self) -> None:
        self.mended = False
        self.story = SagaScenario(replace(TRIP, on_timer={"car": self.late})).happens(REQUESTED).accepts()
        self.story.waits(A_DAY).has_problem("a slip").sends()

    def late(self, trip: Trip, cause: Cause) -> Next[Trip]:
        if not self.mended:
            raise ZeroDivisionError("a slip")
        return car_is_late(trip, cause)


def test_a_timer_that_broke_down_is_tried_again() -> None:
    slips = Slips()
    slips.mended = True
    slips.story.is_retried().sends(Remind(trip="t"))
    assert slips.story.process.timers == {"car": MIDNIGHT + 2 * A_DAY}
    assert slips.story.process.waiting == {}


def test_a_timer_that_broke_down_is_let_go_once_it_is_cancelled() -> None:
    slips = Slips()
    slips.story.happens(CAR).sends(BookRoom(trip="t"))
    slips.mended = True
    assert slips.story.process.waiting == {}


def test_a_timer_that_broke_down_is_let_go_once_it_is_set_anew() -> None:
    slips = Slips()
    slips.story.happens(REQUESTED).sends(BookCar(trip="t"))
    assert slips.story.process.waiting == {}
    assert slips.story.process.timers == {"car": MIDNIGHT + 2 * A_DAY}


def test_nothing_can_be_tried_again_or_ended_without_need() -> None:
    with pytest.raises(Rejected, match="nothing to try again"):
        begun().is_retried()
    story = with_both_underway().accepts().happens(ROOM).becomes("completed")
    with pytest.raises(Rejected, match="completed already"):
        story.is_cancelled()


def test_what_was_reported_stays_reported_when_the_process_ends() -> None:
    story = begun().happens(CarBooked(trip="t", plate="no plate")).is_cancelled().accepts().accepts().becomes("cancelled")
    assert [cause.name for cause, _ in story.process.waiting.values()] == ["CarBooked"]
    with pytest.raises(Rejected, match="nothing to try again"):
        story.is_retried()


def test_what_may_not_come_after_the_end_is_reported() -> None:
    rules: Rules = {TripRequested: (CarBooked,), CarBooked: (RoomBooked,), RoomBooked: ()}
    story = SagaScenario(replace(TRIP, rules=rules)).happens(REQUESTED).happens(CAR).happens(ROOM).becomes("completed")
    story.happens(CAR).has_problem("CarBooked may follow TripRequested, which has not come").becomes("completed")
    assert [step.standing for step in story.steps] == ["failed"]
    assert story.process.waiting == {}


def test_what_comes_after_the_end_is_noted() -> None:
    story = with_both_underway().accepts().happens(ROOM).happens(CAR).sends().becomes("completed")
    assert [step.standing for step in story.steps] == ["processed"]


def test_a_process_is_what_its_steps_tell() -> None:
    story = begun()
    steps = list(story.steps)
    for told in (story.accepts, partial(story.happens, CAR), partial(story.rejects, "full"), partial(story.rejects, "closed")):
        told()
        steps += story.steps
    again = Process.empty(story.process.id, MIDNIGHT)
    for version, step in enumerate(steps, start=1):
        again.replay(SagaAdvanced.model_validate_json(step.model_dump_json()), version, MIDNIGHT)
    assert again.state() == story.process.state()


def test_a_manager_needs_a_beginning_and_names_that_differ() -> None:
    with pytest.raises(Misconfigured, match="no event begins"):
        SagaDefinition("trip", Trip, {CarBooked: On(lambda event: event.trip, car_booked)})
    other = type("Other", (Event,), {"__annotations__": {"trip": str}}, name="TripRequested")
    on = On(lambda event: event.trip, requested, begins=True)
    with pytest.raises(Misconfigured, match="same name"):
        SagaDefinition("trip", Trip, {TripRequested: on, other: on})
