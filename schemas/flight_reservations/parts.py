"""Parts of messages that several contexts of the flight reservations use."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schemas.values.text import PLAIN, without_control_characters


class Part(BaseModel):
    """A part of a message; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __deepcopy__(self, memo: object = None) -> Self:
        """Returns the part itself: it does not change."""
        return self


Label = Annotated[str, StringConstraints(max_length=200), AfterValidator(without_control_characters), PLAIN]
AirportCode = Annotated[str, Field(pattern="^[A-Z]{3,4}$", examples=["BOG"])]
"""A code of IATA or of ICAO."""
Class = Literal["economy", "premium", "executive", "first"]
Age = Literal["adult", "minor", "infant"]
FlightType = Literal["round_trip", "one_way", "open_jaw"]
Kind = Literal["person", "company"]


class Airport(Part):
    """An airport."""

    code: AirportCode
    name: Label = ""


class Leg(Part):
    """A flight without a stop."""

    departs_at: AwareDatetime
    arrives_at: AwareDatetime
    origin: Airport
    destination: Airport


class Segment(Part):
    """Legs under one flight number."""

    legs: Annotated[tuple[Leg, ...], Field(min_length=1, max_length=20)]


class Journey(Part):
    """Segments from an origin to a destination; the clients' word for it is *odo*."""

    segments: Annotated[tuple[Segment, ...], Field(min_length=1, max_length=20)]

    @property
    def origin(self) -> str:
        """The code of the airport at which it begins."""
        return self.segments[0].legs[0].origin.code

    @property
    def destination(self) -> str:
        """The code of the airport at which it ends."""
        return self.segments[-1].legs[-1].destination.code


class Itinerary(Part):
    """Journeys that are flown one after the other."""

    journeys: Annotated[tuple[Journey, ...], Field(min_length=1, max_length=20)]


class Passenger(Part):
    """A traveller, of whom nothing is known but the class and the age."""

    travel_class: Class
    age: Age
