"""The rules of itineraries, and what kind of flight each is."""

from collections.abc import Sequence

from schemas.errors import Rejected
from schemas.flight_reservations.parts import FlightType, Itinerary, Leg, Passenger
from schemas.flight_reservations.reservations import ARRIVES_TOO_EARLY, NO_ADULT, NO_ITINERARY, WRONG_ROUTE


def check(itineraries: Sequence[Itinerary], passengers: Sequence[Passenger]) -> None:
    """Raises `Rejected` with the first rule that a reservation breaks."""
    if not itineraries:
        raise Rejected(NO_ITINERARY)
    legs = [leg for itinerary in itineraries for leg in legs_of(itinerary)]
    if any(leg.origin.code == leg.destination.code for leg in legs):
        raise Rejected(WRONG_ROUTE)
    if passengers and not any(one.age == "adult" for one in passengers):
        raise Rejected(NO_ADULT)
    if any(leg.arrives_at < leg.departs_at for leg in legs):
        raise Rejected(ARRIVES_TOO_EARLY)


def legs_of(itinerary: Itinerary) -> list[Leg]:
    """Returns the legs of an itinerary, in order."""
    return [leg for journey in itinerary.journeys for segment in journey.segments for leg in segment.legs]


def flight_type_of(itinerary: Itinerary) -> FlightType:
    """Returns whether an itinerary leads back to its origin, is one journey, or is several of which none leads back."""
    first, last = itinerary.journeys[0], itinerary.journeys[-1]
    if last.destination == first.origin:
        return "round_trip"
    return "one_way" if len(itinerary.journeys) == 1 else "open_jaw"
