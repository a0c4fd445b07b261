"""The topics of the flight reservations for other teams.

All events of reservations have one record, as readers expect: the envelope's type says which event it is.
"""

from typing import Any

from schemas.envelope import RecordedEvent
from schemas.flight_reservations.customers import CustomerDeactivated, CustomerRegistered
from schemas.flight_reservations.reservations import (
    ReservationApproved,
    ReservationCancelled,
    ReservationCreated,
    ReservationPaid,
    ReservationRejected,
)
from schemas.integration import Content, OutgoingTopic, Record

_SERVICE = "aeroalpes"
_RESERVATION = Record(
    "EventoReservaCreada",
    {"id_reserva": "string", "id_cliente": "string", "estado": "string", "fecha_creacion": "long"},
    service=_SERVICE,
)
_CUSTOMER = Record("EventoUsuario", {"id_usuario": "string", "tipo": "string"}, service=_SERVICE)


_REJECTION = Record("ReservaRechazada", {"id_solicitud": "string", "error": "string"}, service=_SERVICE)

EVENTS, REJECTIONS = "eventos-reserva", "eventos-reserva-rechazada"


def _reservation(status: str) -> Any:
    def content(recorded: RecordedEvent[Any]) -> Content:
        data = recorded.data
        return {
            "id_reserva": str(data.reservation_id),
            "id_cliente": None if data.customer_id is None else str(data.customer_id),
            "estado": status,
            "fecha_creacion": int(data.created_at.timestamp() * 1000),
        }

    return content


def _customer(kind: str) -> Any:
    def content(recorded: RecordedEvent[Any]) -> Content:
        return {"id_usuario": str(recorded.data.customer_id), "tipo": kind}

    return content


def _rejection(recorded: RecordedEvent[Any]) -> Content:
    return {"id_solicitud": str(recorded.data.reservation_id), "error": recorded.data.reason}


OUTGOING = (
    OutgoingTopic(EVENTS, ReservationCreated, _reservation("PENDIENTE"), _RESERVATION),
    OutgoingTopic(EVENTS, ReservationApproved, _reservation("APROBADA"), _RESERVATION, type="EventoReservaAprobada"),
    OutgoingTopic(EVENTS, ReservationPaid, _reservation("PAGADA"), _RESERVATION, type="EventoReservaPagada"),
    OutgoingTopic(EVENTS, ReservationCancelled, _reservation("CANCELADA"), _RESERVATION, type="EventoReservaCancelada"),
    OutgoingTopic(REJECTIONS, ReservationRejected, _rejection, _REJECTION),
    OutgoingTopic("eventos-usuario", CustomerRegistered, _customer("UsuarioRegistrado"), _CUSTOMER),
    OutgoingTopic("eventos-usuario", CustomerDeactivated, _customer("UsuarioDesactivado"), _CUSTOMER),
)
