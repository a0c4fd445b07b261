"""The clients' form of itineraries."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.flight_reservations.clients.itineraries import Itinerario, Pasajero
from schemas.flight_reservations.parts import Passenger
from tests.unit.aggregates.flight_reservations.flights import itinerary

LEG: dict[str, Any] = {
    "fecha_salida": "2022-11-22T12:00:00Z",
    "fecha_llegada": "2022-11-22T14:00:00Z",
    "origen": {"codigo": "bog ", "nombre": "Bog"},
    "destino": {"codigo": "JFK", "fecha_creacion": "x"},
    "id": "ignored",
}
GIVEN: dict[str, Any] = {"id": "7", "odos": [{"segmentos": [{"legs": [LEG]}]}]}


def test_an_itinerary_is_read_and_what_is_not_known_is_ignored() -> None:
    assert Itinerario.model_validate(GIVEN).itinerary == itinerary("BOG-JFK")
    unnamed = {**LEG, "origen": {"codigo": "BOG", "nombre": None}}
    read = Itinerario.model_validate({"odos": [{"segmentos": [{"legs": [unnamed]}]}]}).itinerary
    assert read.journeys[0].segments[0].legs[0].origin.name == ""
    assert Pasajero(clase="Primera", tipo="Menor").passenger == Passenger(travel_class="first", age="minor")


@pytest.mark.parametrize(
    "leg",
    [
        {**LEG, "fecha_salida": "2022-11-22T12:00:00"},
        {**LEG, "origen": {"codigo": "B1G"}},
        {**LEG, "destino": {"codigo": "LONGER"}},
        {name: value for name, value in LEG.items() if name != "destino"},
        None,
    ],
)
def test_a_leg_that_lacks_something_is_none(leg: Any) -> None:
    with pytest.raises(ValidationError):
        Itinerario.model_validate({"odos": [{"segmentos": [{"legs": [leg]}]}]})


@pytest.mark.parametrize("given", [{"odos": []}, {"odos": [{"segmentos": []}]}, {"odos": [{"segmentos": [{"legs": []}]}]}, {}])
def test_an_itinerary_has_a_leg_in_each_of_its_parts(given: Any) -> None:
    with pytest.raises(ValidationError):
        Itinerario.model_validate(given)
