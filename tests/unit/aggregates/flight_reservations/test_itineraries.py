"""The rules of itineraries, in their order, and the kinds of flight."""

from collections.abc import Sequence

import pytest

from aggregates.flight_reservations.itineraries import check, flight_type_of, legs_of
from schemas.errors import Rejected
from schemas.flight_reservations.parts import Age, FlightType, Itinerary, Passenger
from schemas.flight_reservations.reservations import ARRIVES_TOO_EARLY, NO_ADULT, NO_ITINERARY, WRONG_ROUTE
from tests.unit.aggregates.flight_reservations.flights import itinerary


def passengers(*ages: Age) -> list[Passenger]:
    return [Passenger(travel_class="economy", age=age) for age in ages]


@pytest.mark.parametrize(
    ("itineraries", "ages", "why"),
    [
        ([], (), NO_ITINERARY),
        ([itinerary("BOG-BOG", hours=-1)], ("minor",), WRONG_ROUTE),
        ([itinerary("BOG-JFK"), itinerary("JFK-LAX LAX-LAX")], (), WRONG_ROUTE),
        ([itinerary("BOG-JFK", hours=-1)], ("minor", "infant"), NO_ADULT),
        ([itinerary("BOG-JFK", hours=-1)], ("minor", "adult"), ARRIVES_TOO_EARLY),
    ],
)
def test_the_first_rule_that_is_broken_is_the_reason(itineraries: Sequence[Itinerary], ages: tuple[Age, ...], why: str) -> None:
    with pytest.raises(Rejected, match=why):
        check(itineraries, passengers(*ages))


def test_what_breaks_no_rule_is_accepted() -> None:
    check([itinerary("BOG-JFK", hours=0)], ())
    check([itinerary("BOG-JFK JFK-LAX", "LAX-BOG")], passengers("infant", "adult"))


@pytest.mark.parametrize(
    ("journeys", "kind"),
    [
        (["BOG-JFK"], "one_way"),
        (["BOG-JFK JFK-LAX"], "one_way"),
        (["BOG-JFK", "JFK-BOG"], "round_trip"),
        (["BOG-JFK JFK-BOG"], "round_trip"),
        (["BOG-JFK", "LAX-MIA"], "open_jaw"),
        (["BOG-JFK", "JFK-LAX", "LAX-BOG"], "round_trip"),
    ],
)
def test_the_kind_of_flight_follows_from_its_ends(journeys: list[str], kind: FlightType) -> None:
    assert flight_type_of(itinerary(*journeys)) == kind


def test_the_legs_of_an_itinerary_are_in_order() -> None:
    legs = legs_of(itinerary("BOG-JFK JFK-LAX", "LAX-MIA"))

    assert [one.destination.code for one in legs] == ["JFK", "LAX", "MIA"]
