"""The clients' form of itineraries, in bodies and on topics: it is read leniently, and fields that are unknown are ignored."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from schemas.flight_reservations.clients.spanish import AGES, CLASSES, NO_TIME, Clase, Tipo, time_of
from schemas.flight_reservations.parts import Airport, AirportCode, Itinerary, Journey, Label, Leg, Passenger, Segment
from schemas.values.stated import Stated


def _time(fecha: str) -> str:
    time_of(fecha)
    return fecha


def _upper(code: object) -> object:
    return code.strip().upper() if isinstance(code, str) else code


def _text(name: object) -> object:
    return "" if name is None else name


Fecha = Annotated[str, AfterValidator(_time), Stated(rules=(NO_TIME,)), Field(examples=["2022-11-22T13:10:00Z"])]


class Dado(BaseModel):
    """Algo que envía un cliente; lo que no se conoce se ignora."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Lugar(Dado):
    """Un aeropuerto."""

    codigo: Annotated[AirportCode, BeforeValidator(_upper)]
    nombre: Annotated[Label, BeforeValidator(_text)] = ""


class Trayecto(Dado):
    """Un vuelo sin escalas."""

    fecha_salida: Fecha
    fecha_llegada: Fecha
    origen: Lugar
    destino: Lugar


class Segmento(Dado):
    """Los vuelos de un segmento."""

    legs: Annotated[list[Trayecto], Field(min_length=1, max_length=20)]


class Odo(Dado):
    """Los segmentos de un viaje."""

    segmentos: Annotated[list[Segmento], Field(min_length=1, max_length=20)]


class Itinerario(Dado):
    """Los viajes de un itinerario."""

    odos: Annotated[list[Odo], Field(min_length=1, max_length=20)]

    @property
    def itinerary(self) -> Itinerary:
        """The itinerary."""
        return Itinerary(journeys=tuple(Journey(segments=tuple(map(_segment, odo.segmentos))) for odo in self.odos))


class Pasajero(Dado):
    """Un pasajero."""

    clase: Clase = "Economica"
    tipo: Tipo = "Adulto"

    @property
    def passenger(self) -> Passenger:
        """The passenger."""
        return Passenger(travel_class=CLASSES[self.clase], age=AGES[self.tipo])


def _segment(segmento: Segmento) -> Segment:
    return Segment(legs=tuple(map(_leg, segmento.legs)))


def _leg(leg: Trayecto) -> Leg:
    return Leg(
        departs_at=time_of(leg.fecha_salida),
        arrives_at=time_of(leg.fecha_llegada),
        origin=Airport(code=leg.origen.codigo, name=leg.origen.nombre),
        destination=Airport(code=leg.destino.codigo, name=leg.destino.nombre),
    )
