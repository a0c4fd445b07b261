"""The flight reservations' own paths for commands."""

from collections.abc import Mapping, Sequence
from typing import Any

from command_api.flight_reservations import bodies
from command_api.http.paths import AcceptedCommandPath, CommandPath, OwnPath, Translation
from schemas.envelope import Receipt
from schemas.flight_reservations.clients import dialect
from schemas.flight_reservations.clients.reservations_in_spanish import shown
from schemas.flight_reservations.customers import DeactivateCustomer, RegisterCustomer
from schemas.flight_reservations.reservations import (
    ApproveReservation,
    CancelReservation,
    CreateReservation,
    PayReservation,
    RequestReservation,
    ReservationCreated,
)
from schemas.message import Command, Event

_RESERVATION, _CUSTOMER = "/vuelos/reserva/{key}", "/cliente/usuario/{key}"


def created(_: CreateReservation, receipt: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the reservation as it was recorded."""
    (data,) = (event for event in events if isinstance(event, ReservationCreated))
    made_at = data.created_at
    reservation = shown(
        data.reservation_id,
        data.customer_id,
        "pending",
        None,
        data.itineraries,
        data.flight_types,
        made_at,
        receipt.recorded_at,
    )
    return reservation.model_dump(mode="json")


def _change(word: str, command: type[Command], make: Any, status: str) -> CommandPath:
    return CommandPath(
        f"/vuelos/reserva/{{id}}/{word}",
        command,
        {"estado": status},
        translation=Translation(None, make),
        status=200,
        errors=dialect.RESERVATIONS,
    )


def _requested(path: str) -> AcceptedCommandPath:
    return AcceptedCommandPath(
        path,
        RequestReservation,
        translation=Translation(bodies.NuevaReserva, bodies.request),
        location=_RESERVATION,
        errors=dialect.RESERVATIONS,
    )


PATHS: tuple[OwnPath, ...] = (
    CommandPath(
        "/vuelos/reserva",
        CreateReservation,
        created,
        translation=Translation(bodies.NuevaReserva, bodies.create),
        with_events=True,
        status=200,
        errors=dialect.RESERVATIONS,
    ),
    _requested("/vuelos/reserva-comando"),
    _requested("/vuelos/reserva-commando"),
    _change("aprobar", ApproveReservation, bodies.approve, "Aprobada"),
    _change("pagar", PayReservation, bodies.pay, "Pagada"),
    _change("cancelar", CancelReservation, bodies.cancel, "Cancelada"),
    AcceptedCommandPath(
        "/cliente/usuario",
        RegisterCustomer,
        translation=Translation(bodies.NuevoUsuario, bodies.register),
        location=_CUSTOMER,
        errors=dialect.CUSTOMERS,
    ),
    CommandPath(
        "/cliente/usuario/{id}/desactivar",
        DeactivateCustomer,
        {"estado": "desactivado"},
        translation=Translation(None, bodies.deactivate),
        status=200,
        errors=dialect.CUSTOMERS,
    ),
)
