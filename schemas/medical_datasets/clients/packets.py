"""A packet in the clients' words: in bodies and on topics it is read leniently, and fields that are unknown are ignored."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from schemas.medical_datasets.parts import Data, Diagnosis, Label, Notes, Packet
from schemas.values.stated import Stated

NO_DATE = "debe ser una fecha ISO 8601"
NO_URL = "La URL de la imagen no es válida"
NO_DATA = "debe ser un objeto JSON"
_MAX_DEPTH = 32
"""Levels of an object in a text; those of bodies are limited as they are read."""
TEXTS = (
    "entorno_clinico",
    "registro_de_diagnostico",
    "fecha_creacion",
    "fecha_actualizacion",
    "contexto_procesal",
    "notas_clinicas",
    "data",
)
"""The fields of a packet on topics, each as a text."""


def time_of(fecha: str) -> datetime:
    """Returns an ISO 8601 time in UTC, which one without an offset is; raises ``ValueError`` for anything else."""
    try:
        found = datetime.fromisoformat(fecha.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(NO_DATE) from None


def fecha_of(time: datetime | None) -> str | None:
    """Returns a time in the clients' form."""
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _fecha(fecha: str | None) -> str | None:
    if fecha:
        time_of(fecha)
    return fecha


def _url(url: str | None) -> str | None:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(NO_URL)
    return url


def _object(value: object) -> object:
    """Returns the object in a JSON text: clients send either."""
    if not isinstance(value, str):
        return {} if value is None else value
    if not value.strip():
        return {}
    try:
        return _object_in(value)
    except ValueError:
        raise ValueError(NO_DATA) from None


def _object_in(text: str) -> dict[str, object]:
    """Returns the object in a JSON text; raises ``ValueError`` if there is none, or if it is too deep for the parser."""
    try:
        found = json.loads(text)
    except RecursionError:
        found = None
    if isinstance(found, dict) and not _is_deeper(found, _MAX_DEPTH):
        return found
    raise ValueError(NO_DATA)


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    members = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(member, levels - 1) for member in members)


def _diagnosis(value: object) -> object:
    """Returns the parts in a JSON text, and any other text as it is."""
    try:
        return _object_in(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _text(value: object) -> object:
    return "" if value is None else value


Fecha = Annotated[str | None, AfterValidator(_fecha), Stated(rules=(NO_DATE,)), Field(examples=["2025-03-09T12:30:00Z"])]
Url = Annotated[str | None, Field(max_length=2000), AfterValidator(_url), Stated(rules=(NO_URL,))]
Texto = Annotated[Notes, BeforeValidator(_text)]


class Dado(BaseModel):
    """Algo que envía un cliente; lo que no se conoce se ignora."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Registro(Dado):
    """Un diagnóstico."""

    region_anatomica: Label | None = None
    modalidad: Label | None = None
    patologia: Label | None = None


class Paquete(Dado):
    """Lo que se sabe de una imagen además de su paciente."""

    entorno_clinico: Annotated[Label, BeforeValidator(_text)] = ""
    registro_de_diagnostico: Annotated[Registro | Notes | None, BeforeValidator(_diagnosis)] = None
    fecha_creacion: Fecha = None
    fecha_actualizacion: Fecha = None
    contexto_procesal: Texto = ""
    notas_clinicas: Texto = ""
    data: Annotated[Data, BeforeValidator(_object), Stated(rules=(NO_DATA,))] = Field(default_factory=dict)

    @property
    def packet(self) -> Packet:
        """The packet in the system's own words."""
        return Packet(
            clinical_setting=self.entorno_clinico,
            diagnosis=_read(self.registro_de_diagnostico),
            created_at=time_of(self.fecha_creacion) if self.fecha_creacion else None,
            updated_at=time_of(self.fecha_actualizacion) if self.fecha_actualizacion else None,
            processing_context=self.contexto_procesal,
            clinical_notes=self.notas_clinicas,
            data=self.data,
        )


class Imagen(Paquete):
    """Una imagen y lo que se sabe de ella."""

    imagen: Url = None


def _read(registro: Registro | str | None) -> Diagnosis:
    if isinstance(registro, Registro):
        return Diagnosis(region=registro.region_anatomica, modality=registro.modalidad, pathology=registro.patologia)
    return Diagnosis(text=registro)


def shown_diagnosis(diagnosis: Diagnosis) -> dict[str, str | None] | str:
    """Returns a diagnosis in the clients' words: its parts, or its text."""
    if diagnosis.text is not None:
        return diagnosis.text
    return {"region_anatomica": diagnosis.region, "modalidad": diagnosis.modality, "patologia": diagnosis.pathology}


def shown(packet: Packet) -> dict[str, Any]:
    """Returns a packet in the clients' words."""
    return {
        "entorno_clinico": packet.clinical_setting,
        "registro_de_diagnostico": shown_diagnosis(packet.diagnosis),
        "fecha_creacion": fecha_of(packet.created_at),
        "fecha_actualizacion": fecha_of(packet.updated_at),
        "contexto_procesal": packet.processing_context,
        "notas_clinicas": packet.clinical_notes,
        "data": packet.data,
    }


def as_texts(packet: Packet) -> Mapping[str, str | None]:
    """Returns a packet as fields of text, with JSON in those that are none: the form of the topics."""
    fields = shown(packet)
    return {
        name: value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in fields.items()
    }
