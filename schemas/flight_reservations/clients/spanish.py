"""The Spanish words of the flight reservations' clients, and their form of times."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from schemas.flight_reservations.parts import Age, Class, FlightType, Kind
from schemas.flight_reservations.reservations import Status

_FORM = "%Y-%m-%dT%H:%M:%SZ"
NO_TIME = "debe tener la forma AAAA-MM-DDTHH:MM:SSZ"
Estado = Literal["Pendiente", "Aprobada", "Pagada", "Cancelada", "Rechazada"]
STATUSES: Mapping[Status, Estado] = {
    "pending": "Pendiente",
    "approved": "Aprobada",
    "paid": "Pagada",
    "cancelled": "Cancelada",
    "rejected": "Rechazada",
}
TipoDeVuelo = Literal["Ida y vuelta", "Solo ida", "Open Jaw"]
FLIGHT_TYPES: Mapping[FlightType, TipoDeVuelo] = {
    "round_trip": "Ida y vuelta",
    "one_way": "Solo ida",
    "open_jaw": "Open Jaw",
}
Clase = Literal["Economica", "Premium", "Ejecutiva", "Primera"]
CLASSES: Mapping[Clase, Class] = {
    "Economica": "economy",
    "Premium": "premium",
    "Ejecutiva": "executive",
    "Primera": "first",
}
Tipo = Literal["Adulto", "Menor", "Infante"]
AGES: Mapping[Tipo, Age] = {"Adulto": "adult", "Menor": "minor", "Infante": "infant"}
TipoDeCliente = Literal["natural", "empresa"]
KINDS: Mapping[TipoDeCliente, Kind] = {"natural": "person", "empresa": "company"}


def time_of(fecha: str) -> datetime:
    """Returns the time of ``2022-11-22T13:10:00Z``; raises ``ValueError`` for anything else."""
    try:
        found = datetime.strptime(fecha, _FORM).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(NO_TIME) from None
    if fecha_of(found) != fecha:
        raise ValueError(NO_TIME)
    return found


def fecha_of(time: datetime) -> str:
    """Returns a time in the clients' form, to the second."""
    return f"{time.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"
