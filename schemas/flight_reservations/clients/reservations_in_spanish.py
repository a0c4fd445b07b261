"""A reservation as the flight reservations' clients see it, from the write side and from its view."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from schemas.flight_reservations.clients.spanish import FLIGHT_TYPES, STATUSES, Estado, TipoDeVuelo, fecha_of
from schemas.flight_reservations.parts import Airport, FlightType, Itinerary, Journey, Leg
from schemas.flight_reservations.reservations import Status


class Locacion(BaseModel):
    """Un aeropuerto."""

    codigo: str
    nombre: str
    fecha_actualizacion: str
    fecha_creacion: str


class Trayecto(BaseModel):
    """Un vuelo sin escalas."""

    fecha_salida: str
    fecha_llegada: str
    origen: Locacion
    destino: Locacion


class Segmento(BaseModel):
    """Los vuelos de un segmento."""

    legs: list[Trayecto]


class Odo(BaseModel):
    """Los segmentos de un viaje."""

    segmentos: list[Segmento]


class Itinerario(BaseModel):
    """Los viajes de un itinerario."""

    odos: list[Odo]


class Reserva(BaseModel):
    """Una reserva."""

    fecha_creacion: str
    fecha_actualizacion: str
    id: UUID
    itinerarios: list[Itinerario]
    estado: Estado
    motivo: str | None
    tipo_vuelo: list[TipoDeVuelo]
    id_cliente: UUID | None


def shown(
    id: UUID,
    customer_id: UUID | None,
    status: Status,
    reason: str | None,
    itineraries: Iterable[Itinerary],
    flight_types: Iterable[FlightType],
    created_at: datetime,
    updated_at: datetime,
) -> Reserva:
    """Returns a reservation in the clients' words; its airports have its own times."""
    created, updated = fecha_of(created_at), fecha_of(updated_at)

    def locacion(airport: Airport) -> Locacion:
        return Locacion(codigo=airport.code, nombre=airport.name, fecha_actualizacion=updated, fecha_creacion=created)

    def trayecto(leg: Leg) -> Trayecto:
        return Trayecto(
            fecha_salida=fecha_of(leg.departs_at),
            fecha_llegada=fecha_of(leg.arrives_at),
            origen=locacion(leg.origin),
            destino=locacion(leg.destination),
        )

    def odo(journey: Journey) -> Odo:
        return Odo(segmentos=[Segmento(legs=[trayecto(leg) for leg in segment.legs]) for segment in journey.segments])

    return Reserva(
        fecha_creacion=created,
        fecha_actualizacion=updated,
        id=id,
        itinerarios=[Itinerario(odos=[odo(journey) for journey in itinerary.journeys]) for itinerary in itineraries],
        estado=STATUSES[status],
        motivo=reason,
        tipo_vuelo=[FLIGHT_TYPES[one] for one in flight_types],
        id_cliente=customer_id,
    )
