"""An image as the subscriptions' clients see it, from the write side and from its view."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from schemas.health_subscriptions.imaging import REMOVED, ImageAnonymised
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


class ImagenConArchivo(Imagen):
    """Una imagen cuyo archivo se conserva."""

    archivo: Archivo


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
    estado: Literal["EN_CUARENTENA", "LIBERADA", "DESCARTADA"]
    fecha: datetime | None


def anonymised(image: ImageAnonymised) -> dict[str, Any]:
    """Returns the nine fields of an image, as it was recorded."""
    return shown(0, dict(image)).model_dump(exclude={"id", "archivo"})


def shown(number: int, image: Mapping[str, Any]) -> Imagen:
    """Returns an image, from the fields of its event or of its row."""
    file = image["file"]
    fields = {
        "id": number,
        "id_imagen": image["image_id"],
        "modalidad": image["modality"],
        "patologia": image["pathology"],
        "region_anatomica": image["anatomical_region"],
        "formato_imagen": image["image_format"],
        "fuente_de_datos": REMOVED,
        "antecedentes": REMOVED,
        "id_paciente": image["patient_id"],
        "fecha_ingesta": image["ingested_year"],
    }
    if file is None:
        return Imagen(**fields)
    return ImagenConArchivo(**fields, archivo=archived(file if isinstance(file, DicomFile) else DicomFile.model_validate(file)))


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
