"""The Spanish words of the subscriptions' clients for statuses, and their forms of amounts and dates."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

EstadoDeSuscripcion = Literal["Pendiente", "Activo", "Cancelado", "Eliminado"]
SUBSCRIPTION_STATES: Mapping[str, EstadoDeSuscripcion] = {
    "pending": "Pendiente",
    "active": "Activo",
    "cancelled": "Cancelado",
    "removed": "Eliminado",
}
EstadoDeServicio = Literal["Creado", "Iniciado", "Terminado", "Eliminado"]
DATA_SERVICE_STATES: Mapping[str, EstadoDeServicio] = {
    "created": "Creado",
    "started": "Iniciado",
    "finished": "Terminado",
    "removed": "Eliminado",
}
EstadoEnCuarentena = Literal["EN_CUARENTENA", "LIBERADA", "DESCARTADA"]
QUARANTINE_STATES: Mapping[str, EstadoEnCuarentena] = {
    "quarantined": "EN_CUARENTENA",
    "released": "LIBERADA",
    "discarded": "DESCARTADA",
}
EstadoDeImagen = Literal["ANONIMIZADA", "EN_ESPERA", "EN_CUARENTENA", "DESCARTADA", "RECHAZADA"]
IMAGE_STATES: Mapping[str, EstadoDeImagen] = {
    "recorded": "ANONIMIZADA",
    "postponed": "EN_ESPERA",
    "quarantined": "EN_CUARENTENA",
    "discarded": "DESCARTADA",
    "rejected": "RECHAZADA",
}
UNKNOWN_MODALITY, UNKNOWN_PATHOLOGY, UNKNOWN_REGION, UNKNOWN_FORMAT = (
    "Desconocida",
    "Desconocido",
    "No especificada",
    "Desconocido",
)
DICOM = "DICOM"
"""The format of an image that came as a DICOM file."""
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)
_SHOWN_ENDING = 4
NO_MOMENT = "debe tener la forma AAAA-MM-DD HH:MM:SS"


def year_of(fecha: str) -> int:
    """Returns the year of ``YYYY-MM-DD HH:MM:SS``; raises ``ValueError`` for anything else."""
    if not _MOMENT.fullmatch(fecha):
        raise ValueError(NO_MOMENT)
    try:
        return datetime.fromisoformat(fecha).year
    except ValueError:
        raise ValueError(NO_MOMENT) from None


def ending_of(numero: str) -> str:
    """Returns the last four characters of the number of a card or account; of a short one, none."""
    digits = re.sub(r"\W", "", numero)
    return digits[-_SHOWN_ENDING:] if len(digits) > _SHOWN_ENDING else ""
