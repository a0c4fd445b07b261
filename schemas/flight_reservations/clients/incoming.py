"""The topics on which other teams reserve flights."""

from collections.abc import Mapping
from typing import Any

from schemas.flight_reservations.clients.itineraries import Itinerario
from schemas.flight_reservations.reservations import RequestReservation
from schemas.integration import IncomingTopic, Record
from schemas.values.literals import read_uuid

_SERVICE = "aeroalpes"
_AIRPORT = Record("Locacion", {"codigo": "string", "nombre": "string"})
_LEG = Record("Leg", {"fecha_salida": "string", "fecha_llegada": "string", "origen": _AIRPORT, "destino": _AIRPORT})
_SEGMENT = Record("Segmento", {"legs": [_LEG]})
_JOURNEY = Record("Odo", {"segmentos": [_SEGMENT]})
_ITINERARY = Record("Itinerario", {"odos": [_JOURNEY]})
_COMMAND = Record("ComandoCrearReserva", {"id_usuario": "string", "itinerarios": [_ITINERARY]}, service=_SERVICE)


def request_of(data: Mapping[str, Any]) -> RequestReservation:
    """Returns the request in a record; raises ``ValueError`` for one without itineraries."""
    given = data.get("itinerarios")
    if given is None:
        raise ValueError("itinerarios: a reservation needs itineraries")
    user = data.get("id_usuario")
    return RequestReservation(
        customer_id=read_uuid(user) if user else None,
        itineraries=tuple(Itinerario.model_validate(one).itinerary for one in given),
    )


INCOMING = tuple(
    IncomingTopic(topic, RequestReservation, request_of, _COMMAND) for topic in ("comandos-reserva", "comandos-reservas")
)
