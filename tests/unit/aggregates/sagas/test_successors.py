"""Successors: which of the handled events an event follows."""

from datetime import timedelta
from uuid import UUID

import pytest

from aggregates.sagas.successors import Defer, Handled, predecessor
from aggregates.scenario import MIDNIGHT
from schemas.engine.sagas import SagaInput
from schemas.errors import UnexpectedEvent

SUCCESSORS = {"Asked": frozenset({"Answered"}), "Answered": frozenset({"Thanked"}), "Thanked": frozenset[str]()}
ASKED, AGAIN = UUID(int=1), UUID(int=2)


def arrives(name: str, caused_by: UUID | None = None) -> SagaInput:
    led = None if caused_by is None else str(caused_by)
    return SagaInput(kind="event", id=UUID(int=9), name=name, at=MIDNIGHT, caused_by=led)


def test_the_first_event_follows_nothing() -> None:
    assert predecessor(SUCCESSORS, {}, arrives("Asked")) is None


def test_an_event_follows_the_one_that_led_to_it() -> None:
    handled = {ASKED: Handled(name="Asked"), AGAIN: Handled(name="Asked")}
    assert predecessor(SUCCESSORS, handled, arrives("Answered", ASKED)) == ASKED


def test_without_a_cause_it_follows_the_newest_that_it_may() -> None:
    handled = {ASKED: Handled(name="Asked"), AGAIN: Handled(name="Asked")}
    assert predecessor(SUCCESSORS, handled, arrives("Answered")) == AGAIN
    handled[AGAIN] = Handled(name="Asked", followed_by=frozenset({"Answered"}))
    assert predecessor(SUCCESSORS, handled, arrives("Answered")) == ASKED


def test_an_event_that_may_not_follow_its_cause_is_unexpected() -> None:
    with pytest.raises(UnexpectedEvent, match=r"Thanked may not follow Asked$"):
        predecessor(SUCCESSORS, {ASKED: Handled(name="Asked")}, arrives("Thanked", ASKED))
    answered = {ASKED: Handled(name="Asked", followed_by=frozenset({"Answered"}))}
    with pytest.raises(UnexpectedEvent, match="Answered may not follow Asked again"):
        predecessor(SUCCESSORS, answered, arrives("Answered", ASKED))


def test_an_event_whose_predecessor_has_not_arrived_is_deferred() -> None:
    found = predecessor(SUCCESSORS, {ASKED: Handled(name="Asked")}, arrives("Thanked"))
    assert found == Defer("Thanked may follow Answered, which has not arrived", timedelta(minutes=1))
