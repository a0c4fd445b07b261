"""The bodies of the flight reservations' clients, and the commands that they make. What is not known in them is ignored."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from schemas.errors import NotFound
from schemas.flight_reservations.clients.itineraries import Dado, Itinerario, Pasajero
from schemas.flight_reservations.clients.spanish import KINDS, TipoDeCliente
from schemas.flight_reservations.customers import DeactivateCustomer, OptionalText, PersonalText, RegisterCustomer
from schemas.flight_reservations.reservations import (
    ApproveReservation,
    CancelReservation,
    CreateReservation,
    PayReservation,
    RequestReservation,
)
from schemas.message import Command
from schemas.sensitive import RequiredSensitiveMailbox
from schemas.values.literals import read_uuid


def _as_text(value: object) -> object:
    """Returns an integer as text: clients send the numbers of documents as either."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class NuevaReserva(Dado):
    """Una reserva."""

    itinerarios: Annotated[list[Itinerario], Field(max_length=20)] = []
    id_cliente: UUID | None = None
    pasajeros: Annotated[list[Pasajero], Field(max_length=100)] = []


class NuevoUsuario(Dado):
    """Un cliente: una persona con cédula y fecha de nacimiento, o una empresa con RUT y fecha de constitución."""

    tipo: TipoDeCliente = "natural"
    nombres: PersonalText
    apellidos: OptionalText = None
    email: RequiredSensitiveMailbox
    cedula: Annotated[OptionalText, BeforeValidator(_as_text)] = None
    rut: Annotated[OptionalText, BeforeValidator(_as_text)] = None
    ciudad: OptionalText = None
    fecha_nacimiento: OptionalText = None
    fecha_constitucion: OptionalText = None


def create(cuerpo: NuevaReserva, _: Mapping[str, str]) -> Command:
    return CreateReservation(
        customer_id=cuerpo.id_cliente,
        itineraries=tuple(one.itinerary for one in cuerpo.itinerarios),
        passengers=tuple(one.passenger for one in cuerpo.pasajeros),
    )


def request(cuerpo: NuevaReserva, _: Mapping[str, str]) -> Command:
    return RequestReservation(
        customer_id=cuerpo.id_cliente,
        itineraries=tuple(one.itinerary for one in cuerpo.itinerarios),
        passengers=tuple(one.passenger for one in cuerpo.pasajeros),
    )


def approve(_: None, parameters: Mapping[str, str]) -> Command:
    return ApproveReservation(reservation_id=_id(parameters))


def pay(_: None, parameters: Mapping[str, str]) -> Command:
    return PayReservation(reservation_id=_id(parameters))


def cancel(_: None, parameters: Mapping[str, str]) -> Command:
    return CancelReservation(reservation_id=_id(parameters))


def register(cuerpo: NuevoUsuario, _: Mapping[str, str]) -> Command:
    is_person = cuerpo.tipo == "natural"
    return RegisterCustomer(
        kind=KINDS[cuerpo.tipo],
        first_names=cuerpo.nombres,
        last_names=cuerpo.apellidos,
        email=cuerpo.email,
        number=cuerpo.cedula if is_person else cuerpo.rut,
        city=cuerpo.ciudad,
        date=cuerpo.fecha_nacimiento if is_person else cuerpo.fecha_constitucion,
    )


def deactivate(_: None, parameters: Mapping[str, str]) -> Command:
    return DeactivateCustomer(customer_id=_id(parameters))


def _id(parameters: Mapping[str, str]) -> UUID:
    """Returns the id in a path; raises `NotFound` for what is none."""
    try:
        return read_uuid(parameters["id"])
    except ValueError:
        raise NotFound("the path names no id") from None
