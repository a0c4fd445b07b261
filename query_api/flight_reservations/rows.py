"""Reservations and customers in the words of their clients."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from query_api.queries.query import Query
from query_api.queries.words import Words
from query_api.views.paging import Row
from schemas.flight_reservations.clients import dialect, reservations_in_spanish
from schemas.flight_reservations.clients.reservations_in_spanish import Reserva
from schemas.flight_reservations.clients.spanish import KINDS, STATUSES, TipoDeCliente, fecha_of
from schemas.flight_reservations.parts import Itinerary, Kind
from schemas.flight_reservations.views import Customers, Reservations

_LIMIT = 1000
"""Rows of a page: the clients know no pages."""
_KINDS: Mapping[Kind, TipoDeCliente] = {kind: word for word, kind in KINDS.items()}
_OF_CUSTOMERS = {"activo": "active", "desactivado": "deactivated"}


class Usuario(BaseModel):
    """Un cliente."""

    id: UUID
    tipo: TipoDeCliente | None
    nombres: str | None
    apellidos: str | None
    email: str | None
    cedula: str | None
    rut: str | None
    ciudad: str | None
    fecha_nacimiento: str | None
    fecha_constitucion: str | None
    estado: Literal["activo", "desactivado"]
    fecha_creacion: str


def shown(row: Row) -> Reserva:
    """Returns a reservation in the clients' words."""
    return reservations_in_spanish.shown(
        row["reservation_id"],
        row["customer_id"],
        row["status"],
        row["reason"],
        map(Itinerary.model_validate, row["itineraries"]),
        row["flight_types"],
        row["created_at"],
        row["updated_at"],
    )


def shown_customer(row: Row) -> Usuario:
    """Returns a customer in the clients' words."""
    is_person = row["kind"] == "person"
    return Usuario(
        id=row["customer_id"],
        tipo=_KINDS.get(row["kind"]),
        nombres=row["first_names"],
        apellidos=row["last_names"],
        email=row["email"],
        cedula=row["number"] if is_person else None,
        rut=None if is_person else row["number"],
        ciudad=row["city"],
        fecha_nacimiento=row["date"] if is_person else None,
        fecha_constitucion=None if is_person else row["date"],
        estado="activo" if row["status"] == "active" else "desactivado",
        fecha_creacion=fecha_of(row["created_at"]),
    )


WORDS: Words = {
    "estado": {word: (("status", status),) for status, word in STATUSES.items()},
    "no_pagadas": {"true": (("status[in]", "pending,approved"),), "false": ()},
}
CUSTOMERS_WORDS: Words = {"estado": {word: (("status", status),) for word, status in _OF_CUSTOMERS.items()}}


def _one(path: str, summary: str) -> Query:
    return Query(path, Reservations, summary, key="id", shape=shown, errors=dialect.RESERVATIONS)


def _all(path: str, summary: str) -> Query:
    return Query(
        path,
        Reservations,
        summary,
        shape=shown,
        limit=_LIMIT,
        words=WORDS,
        errors=dialect.RESERVATIONS,
    )


QUERIES = (
    _one("/vuelos/reserva/{id}", "One reservation."),
    _one("/vuelos/reserva-query/{id}", "One reservation, under another name."),
    _all("/vuelos/reserva", "Reservations, and requests that were rejected."),
    _all("/vuelos/reserva-query", "The same, under another name."),
    Query("/cliente/usuario/{id}", Customers, "One customer.", key="id", shape=shown_customer, errors=dialect.CUSTOMERS),
    Query(
        "/cliente/usuario",
        Customers,
        "Customers.",
        shape=shown_customer,
        limit=_LIMIT,
        words=CUSTOMERS_WORDS,
        errors=dialect.CUSTOMERS,
    ),
)
