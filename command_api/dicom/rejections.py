"""Rejections of DICOM files: each reason is a text that clients see."""

from enum import StrEnum
from typing import Self

from schemas.errors import Rejected


class Reason(StrEnum):
    """The reasons for which a file is not published."""

    NOT_DICOM = "no es un archivo DICOM"
    DAMAGED = "el archivo está cortado o dañado"
    UNKNOWN_VR = "el archivo tiene un tipo de dato (VR) desconocido"
    UNSUPPORTED_SYNTAX = "sintaxis de transferencia no admitida"
    TOO_LARGE = "el archivo es demasiado grande al descomprimirlo"
    TOO_DEEP = "el archivo tiene demasiados niveles de secuencias"
    NOT_AN_IMAGE = "el archivo no es una imagen"
    INCOMPLETE = "faltan datos obligatorios de la imagen"
    TEXT_IN_PIXELS = "posible texto en la imagen"
    HIDDEN_TEXT = "posible texto en bits no usados de los píxeles"
    RECOGNIZABLE = "posibles rasgos reconocibles en la imagen"
    TOO_COSTLY = "el archivo requiere demasiado tiempo o memoria"
    FOREIGN_DATA = "datos ajenos a la imagen dentro de los píxeles"


NEED_A_LOOK = frozenset({Reason.TEXT_IN_PIXELS, Reason.RECOGNIZABLE})
"""Reasons that a person can rule out by a look at the image."""


class NotDeidentifiable(Rejected):
    """The file cannot be published without a risk for the person in it."""

    def __init__(self, reason: Reason, modality: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.modality = reason, modality

    def __reduce__(self) -> tuple[type[Self], tuple[Reason, str | None]]:
        return type(self), (self.reason, self.modality)
