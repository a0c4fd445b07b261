"""The Spanish that several systems share: the shape of an error, and the words for the findings of validation."""

from collections.abc import Mapping

from pydantic import BaseModel

from schemas.clients.dialect import FIELD_REQUIRED
from schemas.errors import CaudalError


class ErrorAnswer(BaseModel):
    """Un error."""

    error: str


def error_answer(text: str, _: CaudalError) -> ErrorAnswer:
    """Returns the body of an error: its text alone."""
    return ErrorAnswer(error=text)


def lengths(*bounds: tuple[int, int]) -> Mapping[str, str]:
    """Returns the words for sensitive texts of other lengths than these, in characters."""
    return {
        f"Value error, should have {least} to {most} characters": f"debe tener de {least} a {most} caracteres"
        for least, most in bounds
    }


WORDS: Mapping[str, str] = {
    FIELD_REQUIRED: "falta",
    "Input should be a valid string": "debe ser un texto",
    "Input should be an object": "debe ser un objeto",
    "Value error, is not the address of one mailbox": "no es un email",
}
"""By details of violations."""
TEXTS: Mapping[str, str] = {
    "unauthenticated": "Se requiere un token",
    "forbidden": "El token no permite esta operación",
    "too_large": "El cuerpo es demasiado grande",
}
"""By kinds of errors."""
