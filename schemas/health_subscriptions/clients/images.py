"""An image as the subscriptions' clients see it, from the write side and from its view."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, JsonValue

from schemas.health_subscriptions.clients.spanish import (
    UNKNOWN_FORMAT,
    UNKNOWN_MODALITY,
    UNKNOWN_PATHOLOGY,
    UNKNOWN_REGION,
    EstadoDeImagen,
    EstadoEnCuarentena,
    year_of,
)
from schemas.health_subscriptions.imaging import REMOVED, AnonymiseImage, ImageAnonymised
from schemas.values.dicom import DicomFile


class Archivo(BaseModel):
    """El archivo DICOM de una imagen, sin su paciente."""

    sha256: str
    bytes: int
    sintaxis_de_transferencia: str
    clase_sop: str
    filas: int
    columnas: int
    cuadros: int


class Imagen(BaseModel):
    """Una imagen sin su paciente."""

    id: int
    id_imagen: str | None
    modalidad: str | None
    patologia: str | None
    region_anatomica: str | None
    formato_imagen: str | None
    fuente_de_datos: str
    antecedentes: str
    id_paciente: UUID | None
    fecha_ingesta: int | None
    archivo: Archivo | None = None


class ImagenSubida(BaseModel):
    """Una imagen que llegó como archivo y se conserva sin su paciente."""

    id: int
    estado: Literal["ANONIMIZADA"]
    datos_procesados: dict[str, JsonValue]
    archivo: Archivo


class SubidaEnCuarentena(BaseModel):
    """Una imagen que llegó como archivo y espera a que alguien la mire."""

    id: UUID
    id_imagen: str
    estado: Literal["EN_CUARENTENA"]
    motivo: str


class SolicitudDeImagen(BaseModel):
    """Una imagen que se envió: si se conserva, con qué número, o por qué no."""

    id: UUID
    id_imagen: str | None
    estado: EstadoDeImagen
    numero: int | None
    motivo: str | None


class ImagenEnCuarentena(BaseModel):
    """Una imagen que espera a que alguien la mire."""

    id: UUID
    id_imagen: str | None
    modalidad: str | None
    patologia: str | None
    region_anatomica: str | None
    formato_imagen: str | None
    motivo: str | None
    bytes: int | None
    estado: EstadoEnCuarentena
    fecha: datetime | None


def described(
    id_imagen: str, modalidad: str, patologia: str, region_anatomica: str, formato_imagen: str, fecha_ingesta: str | None
) -> AnonymiseImage:
    """Returns the command of an image's metadata; an empty text is one that is missing."""
    return AnonymiseImage(
        image_id=id_imagen,
        modality=modalidad or UNKNOWN_MODALITY,
        pathology=patologia or UNKNOWN_PATHOLOGY,
        anatomical_region=region_anatomica or UNKNOWN_REGION,
        image_format=formato_imagen or UNKNOWN_FORMAT,
        ingested_year=year_of(fecha_ingesta) if fecha_ingesta else None,
    )


def nine_fields(image: ImageAnonymised) -> dict[str, Any]:
    """Returns the nine fields of an image, as it was recorded."""
    return shown(0, dict(image)).model_dump(exclude={"id", "archivo"})


def shown(number: int, image: Mapping[str, Any]) -> Imagen:
    """Returns an image, from the fields of its event or of its row."""
    file = image["file"]
    return Imagen(
        id=number,
        id_imagen=image["image_id"],
        modalidad=image["modality"],
        patologia=image["pathology"],
        region_anatomica=image["anatomical_region"],
        formato_imagen=image["image_format"],
        fuente_de_datos=REMOVED,
        antecedentes=REMOVED,
        id_paciente=image["patient_id"],
        fecha_ingesta=image["ingested_year"],
        archivo=None if file is None else archived(DicomFile.model_validate(file)),
    )


def archived(file: DicomFile) -> Archivo:
    """Returns what clients see of a file."""
    return Archivo(
        sha256=file.sha256,
        bytes=file.bytes,
        sintaxis_de_transferencia=file.transfer_syntax,
        clase_sop=file.sop_class,
        filas=file.rows,
        columnas=file.columns,
        cuadros=file.frames,
    )
