"""Flights for the tests of reservations."""

from datetime import UTC, datetime, timedelta

from schemas.flight_reservations.parts import Airport, Itinerary, Journey, Leg, Segment

NOON = datetime(2022, 11, 22, 12, tzinfo=UTC)


def leg(route: str, hours: float = 2) -> Leg:
    """A leg of ``BOG-JFK``, which takes so many hours."""
    origin, destination = route.split("-")
    return Leg(
        departs_at=NOON,
        arrives_at=NOON + timedelta(hours=hours),
        origin=Airport(code=origin, name=origin.title()),
        destination=Airport(code=destination),
    )


def itinerary(*journeys: str, hours: float = 2) -> Itinerary:
    """An itinerary whose journeys are ``BOG-JFK JFK-LAX``, each leg in a segment of its own."""
    return Itinerary(
        journeys=tuple(
            Journey(segments=tuple(Segment(legs=(leg(route, hours),)) for route in journey.split())) for journey in journeys
        )
    )
