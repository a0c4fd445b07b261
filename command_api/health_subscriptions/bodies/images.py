"""The bodies about images. Nothing of a patient is in the commands that they make."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from command_api.health_subscriptions.bodies.body import Cuerpo
from schemas.health_subscriptions.clients.images import described
from schemas.health_subscriptions.clients.spanish import DICOM, NO_MOMENT, year_of
from schemas.health_subscriptions.imaging import FetchImage, ImageUrl
from schemas.health_subscriptions.parts import Code, Label
from schemas.message import Command
from schemas.values.stated import Stated


def _moment(fecha: str) -> str:
    year_of(fecha)
    return fecha


Fecha = Annotated[str, AfterValidator(_moment), Stated(rules=(NO_MOMENT,)), Field(examples=["2025-02-10 12:00:00"])]
Dato = Annotated[str, StringConstraints(max_length=10_000)]
"""A text that is not kept."""


class Imagen(Cuerpo):
    """Los datos de una imagen; de quién es, de dónde viene y sus antecedentes no se conservan."""

    id_imagen: Code
    modalidad: Label = ""
    patologia: Label = ""
    region_anatomica: Label = ""
    formato_imagen: Label = ""
    fuente_de_datos: Dato = ""
    antecedentes: Dato = ""
    id_paciente: Dato = ""
    fecha_ingesta: Fecha | None = None


class ImagenEnviada(Imagen):
    """Los datos de una imagen, quizás con la URL de su archivo DICOM en una fuente permitida, que se descarga después."""

    url_imagen: ImageUrl | None = None


class ImagenCompleta(Imagen):
    """Los datos de una imagen, de los que ninguno importante falta."""

    modalidad: Label
    formato_imagen: Label
    fuente_de_datos: Dato
    fecha_ingesta: Fecha


class ImagenDicom(Cuerpo):
    """Lo que se dice de una imagen que llega como archivo DICOM; sin modalidad se toma la del archivo."""

    id_imagen: Code
    modalidad: Label = ""
    patologia: Label = ""
    region_anatomica: Label = ""
    fecha_ingesta: Fecha | None = None


def anonymise(cuerpo: Imagen, _: Mapping[str, str]) -> Command:
    return described(
        cuerpo.id_imagen,
        cuerpo.modalidad,
        cuerpo.patologia,
        cuerpo.region_anatomica,
        cuerpo.formato_imagen,
        cuerpo.fecha_ingesta,
    )


def process(cuerpo: ImagenEnviada, parameters: Mapping[str, str]) -> Command:
    image = anonymise(cuerpo, parameters)
    if cuerpo.url_imagen is None:
        return image
    return FetchImage(url=cuerpo.url_imagen, **{**dict(image), "image_format": DICOM})
