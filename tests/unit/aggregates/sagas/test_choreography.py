"""Choreographies: an order that is packed and shipped, or lost, as each service reports."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

import pytest

from aggregates.sagas.choreography import choreography
from aggregates.sagas.scenario import SagaScenario
from schemas.errors import Misconfigured
from schemas.message import Event


class Reported(Event):
    order: str = "o"


class Ordered(Reported):
    pass


class Packed(Reported):
    parcel: str = "p"


class Shipped(Reported):
    pass


class Lost(Reported):
    pass


SUCCESSORS: Mapping[type[Event], Sequence[type[Event]]] = {Ordered: (Packed,), Packed: (Shipped, Lost), Shipped: (), Lost: ()}
ORDERS = choreography(
    "orders",
    SUCCESSORS,
    key=lambda event: event.order,
    starts=(Ordered,),
    outcomes={Shipped: "completed", Lost: "failed"},
    references=("order", "parcel"),
)


def story() -> SagaScenario:
    return SagaScenario(ORDERS)


def test_events_that_follow_the_rules_lead_to_their_end() -> None:
    saga = story().happens(Ordered()).becomes("running").happens(Packed()).happens(Shipped()).becomes("completed").sends()
    assert saga.steps[0].references == {"order": "o", "parcel": "p"}


def test_an_end_may_be_a_bad_one() -> None:
    story().happens(Ordered()).happens(Packed()).happens(Lost()).becomes("failed")


def test_events_that_arrive_in_another_order_are_put_in_order() -> None:
    saga = story().happens(Shipped()).happens(Packed())
    assert [step.step_status for step in saga.steps] == ["received"]
    saga.happens(Ordered()).becomes("completed")
    assert [step.input.name for step in saga.steps] == ["Ordered", "Packed", "Shipped"]


def test_an_event_that_may_not_follow_its_cause_is_reported_at_once() -> None:
    ordered = uuid4()
    story().happens(Ordered(), id=ordered).happens(Shipped(), caused_by=ordered).has_problem("Shipped may not follow Ordered")


def test_an_event_without_a_predecessor_is_reported_after_a_while() -> None:
    saga = story().happens(Ordered()).happens(Shipped())
    saga.waits(timedelta(minutes=1)).has_problem("no event that it may follow").becomes("running")


def test_nothing_follows_the_same_event_twice() -> None:
    packed = uuid4()
    saga = story().happens(Ordered()).happens(Packed(), id=packed).happens(Shipped(), caused_by=packed).becomes("completed")
    saga.happens(Shipped(), caused_by=packed).has_problem("again").becomes("completed")


def test_another_beginning_is_outside_the_rules() -> None:
    saga = story().happens(Ordered()).happens(Ordered())
    assert [step.step_status for step in saga.steps] == ["received"]
    saga.waits(timedelta(minutes=1)).has_problem("Ordered arrived")


def test_every_event_has_a_rule() -> None:
    with pytest.raises(Misconfigured, match="which events may follow Shipped"):
        choreography("orders", {Ordered: (Shipped,)}, key=lambda event: event.order, starts=(Ordered,), outcomes={})
