"""One step of a saga: what it sends, compensates, sets and cancels."""

from datetime import timedelta
from uuid import UUID

import pytest

from aggregates.sagas.definition import Send, Transition
from aggregates.sagas.saga import DeferredInput, Saga, SentCommands
from aggregates.sagas.transitions import Outcome, Step, deferred_by, timeout_timer
from aggregates.scenario import MIDNIGHT
from aggregates.state import State
from schemas.engine.sagas import CommandData, CommandOutcome, SagaInput, SentCommand
from schemas.errors import Misconfigured
from schemas.message import Command

ONE, OTHER, DAY = UUID(int=1), UUID(int=2), timedelta(days=1)


class BookCar(Command):
    trip: str


class GiveCarBack(Command):
    trip: str


class Trip(State):
    trip: str = "t"


def event(id: UUID = ONE) -> SagaInput:
    return SagaInput(kind="event", id=id, name="TripRequested", at=MIDNIGHT)


def timer(name: str) -> SagaInput:
    return SagaInput(kind="timer", id=OTHER, name=name, at=MIDNIGHT)


def taken(saga: Saga, input: SagaInput, outcome: Outcome, of_command: CommandOutcome | None = None) -> Step:
    step = Step(saga, of_command)
    step.take(input, outcome)
    return step


ACCEPTED = SentCommands(
    compensations={n: CommandData(command=f"give-back-{n}", data={}) for n in (1, 2)}, newest=2
)  # two commands were accepted


def test_commands_are_numbered_on_and_keep_their_compensations() -> None:
    sends = [Send(BookCar(trip="t"), compensation=GiveCarBack(trip="t")), Send(BookCar(trip="u"))]

    step = taken(Saga(commands=SentCommands(newest=4)), event(), Outcome(transition=Transition(Trip(), send=sends)))

    assert [(one.number, one.command, one.compensation and one.compensation.command) for one in step.sent] == [
        (5, "book-car", "give-car-back"),
        (6, "book-car", None),
    ]


def test_a_failed_saga_compensates_the_newest_command_and_then_the_one_before() -> None:
    failing = taken(Saga(commands=ACCEPTED), event(), Outcome(ending="failed", reason="no room"))
    assert (failing.status, [one.compensates for one in failing.sent]) == ("compensating", [2])

    in_flight = {3: SentCommand(command="give-back-2", data={}, number=3, compensates=2)}
    saga = Saga(
        status="compensating", ending="failed", commands=ACCEPTED.model_copy(update={"in_flight": in_flight, "newest": 3})
    )
    next_one = taken(saga, event(OTHER), Outcome(), CommandOutcome(number=3))
    assert [one.compensates for one in next_one.sent] == [1]


def test_a_saga_that_fails_waits_for_its_commands_in_flight() -> None:
    in_flight = {3: SentCommand(command="book-room", data={}, number=3)}
    saga = Saga(commands=ACCEPTED.model_copy(update={"in_flight": in_flight, "newest": 3}))

    step = taken(saga, event(), Outcome(ending="failed"))

    assert (step.status, step.sent) == ("compensating", [])


def test_an_ended_saga_has_no_timers() -> None:
    saga = Saga(timers={"car": MIDNIGHT, "room": MIDNIGHT})

    step = taken(saga, event(), Outcome(transition=Transition(Trip(), set_timers={"car": MIDNIGHT + DAY}, status="completed")))

    assert (step.status, step.timers_set, sorted(step.timers_cancelled)) == ("completed", {}, ["car", "room"])


def test_a_timer_that_fired_is_cancelled_unless_it_was_set_again() -> None:
    saga = Saga(timers={"car": MIDNIGHT})

    assert taken(saga, timer("car"), Outcome(transition=Transition(Trip()))).timers_cancelled == ["car"]
    again = taken(saga, timer("car"), Outcome(transition=Transition(Trip(), set_timers={"car": MIDNIGHT + DAY})))
    assert (again.timers_cancelled, again.timers_set) == ([], {"car": MIDNIGHT + DAY})


def test_a_deferred_timer_is_dropped_if_the_timer_is_moved() -> None:
    late = timer("car").model_copy(update={"id": UUID(int=9)})
    saga = Saga(timers={"car": MIDNIGHT}, deferred={late.id: DeferredInput(input=late, outcome=None)})

    step = taken(saga, event(), Outcome(transition=Transition(Trip(), set_timers={"car": MIDNIGHT + DAY})))

    assert step.dropped == [late.id]


def test_the_names_of_the_engines_timers_are_reserved() -> None:
    assert deferred_by(timeout_timer(event())) == ONE
    assert deferred_by("car") is None
    with pytest.raises(Misconfigured, match="set the timer 'timeout/x': names that begin with 'timeout/' are the engine's"):
        taken(Saga(), event(), Outcome(transition=Transition(Trip(), set_timers={"timeout/x": MIDNIGHT})))
