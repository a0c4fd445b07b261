"""Choreographies: an order that is packed and sent, or lost, as each service reports."""

from datetime import timedelta
from uuid import uuid4

import pytest

from aggregates.sagas.choreography import choreography
from aggregates.sagas.definition import Ids
from aggregates.sagas.scenario import SagaScenario
from aggregates.sagas.successors import Rules
from schemas.errors import Misconfigured
from schemas.message import Event


class Reported(Event):
    order: str = "o"


class Ordered(Reported, name="Ordered"):
    pass


class Packed(Reported, name="Packed"):
    parcel: str = "p"


class Shipped(Reported, name="Shipped"):
    pass


class Lost(Reported, name="Lost"):
    pass


RULES: Rules = {Ordered: (Packed,), Packed: (Shipped, Lost), Shipped: (), Lost: ()}
ORDERS = choreography(
    "orders",
    RULES,
    key=lambda event: event.order,
    begins=(Ordered,),
    verdicts={Shipped: "completed", Lost: "failed"},
    ids=lambda event: Ids("o", event.parcel) if isinstance(event, Packed) else Ids("o"),
)


def story() -> SagaScenario:
    return SagaScenario(ORDERS)


def test_events_that_follow_the_rules_lead_to_their_end() -> None:
    told = story().happens(Ordered()).becomes("running").happens(Packed()).happens(Shipped()).becomes("completed").sends()
    assert (told.steps[0].temporary_id, told.steps[0].real_id) == ("o", "p")


def test_an_end_may_be_a_bad_one() -> None:
    story().happens(Ordered()).happens(Packed()).happens(Lost()).becomes("failed")


def test_what_comes_in_another_order_than_it_happened_is_put_in_order() -> None:
    told = story().happens(Shipped()).happens(Packed())
    assert [step.standing for step in told.steps] == ["received"]
    told.happens(Ordered()).becomes("completed")
    assert [step.cause.name for step in told.steps] == ["Ordered", "Packed", "Shipped"]


def test_what_may_not_follow_its_own_cause_is_reported_at_once() -> None:
    ordered = uuid4()
    story().happens(Ordered(), id=ordered).happens(Shipped(), caused_by=ordered).has_problem("Shipped may not follow Ordered")


def test_what_follows_nothing_is_reported_after_a_while() -> None:
    told = story().happens(Ordered()).happens(Shipped())
    told.waits(timedelta(minutes=1)).has_problem("nothing before it").becomes("running")


def test_nothing_follows_the_same_event_twice() -> None:
    packed = uuid4()
    told = story().happens(Ordered()).happens(Packed(), id=packed).happens(Shipped(), caused_by=packed).becomes("completed")
    told.happens(Shipped(), caused_by=packed).has_problem("again").becomes("completed")


def test_another_beginning_is_outside_the_rules() -> None:
    told = story().happens(Ordered()).happens(Ordered())
    assert [step.standing for step in told.steps] == ["received"]
    told.waits(timedelta(minutes=1)).has_problem("Ordered came")


def test_every_event_has_a_rule() -> None:
    with pytest.raises(Misconfigured, match="may follow Shipped"):
        choreography("orders", {Ordered: (Shipped,)}, key=lambda event: event.order, begins=(Ordered,), verdicts={})
