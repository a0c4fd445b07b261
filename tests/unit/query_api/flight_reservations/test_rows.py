"""Reservations and customers in their clients' words, and the words of their filters."""

from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from query_api.flight_reservations.rows import CUSTOMERS_WORDS, WORDS, shown, shown_customer
from query_api.queries.words import filters_of
from schemas.flight_reservations.views import Customers, Reservations
from tests.unit.aggregates.flight_reservations.flights import itinerary

ID = UUID(int=7)


def test_a_reservation_is_shown_in_spanish() -> None:
    flights = [itinerary("BOG-JFK").model_dump(mode="json")]
    times = {"created_at": MIDNIGHT, "updated_at": MIDNIGHT}
    row = Reservations(reservation_id=ID, itineraries=flights, flight_types=("one_way",), **times).model_dump()

    reserva = shown(row)

    assert (reserva.id, reserva.estado, reserva.tipo_vuelo) == (ID, "Pendiente", ["Solo ida"])
    assert reserva.itinerarios[0].odos[0].segmentos[0].legs[0].destino.codigo == "JFK"
    rejected = shown({**row, "status": "rejected", "reason": "no", "itineraries": [], "flight_types": ()})
    assert (rejected.estado, rejected.motivo, rejected.itinerarios) == ("Rechazada", "no", [])


@pytest.mark.parametrize(
    ("kind", "fields"), [("person", ("cedula", "fecha_nacimiento")), ("company", ("rut", "fecha_constitucion"))]
)
def test_a_customer_has_the_number_and_date_of_its_kind(kind: str, fields: tuple[str, str]) -> None:
    row = Customers(customer_id=ID, created_at=MIDNIGHT).model_dump()

    usuario = shown_customer({**row, "kind": kind, "number": "1", "date": "d"}).model_dump()

    assert [usuario[name] for name in fields] == ["1", "d"]
    assert [name for name in ("cedula", "rut", "fecha_nacimiento", "fecha_constitucion") if usuario[name]] == sorted(
        fields, key=["cedula", "rut", "fecha_nacimiento", "fecha_constitucion"].index
    )


def test_filters_have_the_clients_words() -> None:
    assert filters_of(WORDS, "estado", "Aprobada") == (("status", "approved"),)
    assert [filters_of(WORDS, "no_pagadas", one) for one in ("true", "false")] == [(("status[in]", "pending,approved"),), ()]
    assert filters_of(CUSTOMERS_WORDS, "estado", "desactivado") == (("status", "deactivated"),)
