"""The bodies of the flight reservations' clients."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from command_api.flight_reservations import bodies
from schemas.errors import NotFound
from schemas.flight_reservations.customers import DeactivateCustomer, RegisterCustomer
from schemas.flight_reservations.parts import Passenger
from schemas.flight_reservations.reservations import (
    ApproveReservation,
    CancelReservation,
    CreateReservation,
    PayReservation,
    RequestReservation,
)
from tests.unit.aggregates.flight_reservations.flights import itinerary
from tests.unit.schemas.flight_reservations.clients.test_itineraries import GIVEN

ID = UUID(int=7)
AT: dict[str, str] = {"id": str(ID)}


def test_a_reservation_is_made_of_its_itineraries_and_passengers() -> None:
    given = {"itinerarios": [GIVEN], "id_cliente": str(ID), "pasajeros": [{"tipo": "Adulto"}], "id": "x", "otro": 1}
    body = bodies.NuevaReserva.model_validate(given)
    fields: dict[str, Any] = {
        "customer_id": ID,
        "itineraries": (itinerary("BOG-JFK"),),
        "passengers": (Passenger(travel_class="economy", age="adult"),),
    }

    assert bodies.create(body, {}) == CreateReservation(**fields)
    assert bodies.request(body, {}) == RequestReservation(**fields)
    assert bodies.create(bodies.NuevaReserva(), {}) == CreateReservation(itineraries=())


def test_a_change_names_its_reservation() -> None:
    assert bodies.approve(None, AT) == ApproveReservation(reservation_id=ID)
    assert bodies.pay(None, AT) == PayReservation(reservation_id=ID)
    assert bodies.cancel(None, AT) == CancelReservation(reservation_id=ID)
    assert bodies.deactivate(None, AT) == DeactivateCustomer(customer_id=ID)
    with pytest.raises(NotFound):
        bodies.approve(None, {"id": "7"})


@pytest.mark.parametrize(
    ("kind", "number", "date", "expected"),
    [
        ("natural", {"cedula": 123, "rut": "9"}, {"fecha_nacimiento": "1990-01-01"}, ("person", "123", "1990-01-01")),
        ("empresa", {"cedula": "1", "rut": "900"}, {"fecha_constitucion": "2001-01-01"}, ("company", "900", "2001-01-01")),
    ],
)
def test_a_customer_has_the_number_and_date_of_its_kind(
    kind: str, number: dict[str, Any], date: dict[str, str], expected: tuple[str, str, str]
) -> None:
    body = {"tipo": kind, "nombres": "Eva", "email": "eva@example.org", "ciudad": "Bogotá", **number, **date}

    made = bodies.register(bodies.NuevoUsuario.model_validate(body), {})

    assert isinstance(made, RegisterCustomer)
    assert (made.kind, made.number, made.date) == expected
    assert (made.first_names, made.city) == ("Eva", "Bogotá")


@pytest.mark.parametrize(
    "body", [{}, {"nombres": "Eva"}, {"nombres": "Eva", "email": "nadie"}, {"nombres": "", "email": "e@x.org"}]
)
def test_a_customer_has_a_name_and_a_mailbox(body: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        bodies.NuevoUsuario.model_validate(body)
