"""The errors of the clinical laboratory's own paths, as its clients know them, in Spanish."""

from typing import Literal

from pydantic import BaseModel

from schemas.clients.dialect import FIELD_REQUIRED, LACKING, Dialect
from schemas.errors import CaudalError, SignInsBlocked, Unauthenticated


class Mensaje(BaseModel):
    """Un error."""

    msg: str


class ErrorDePerfil(BaseModel):
    """Por qué no se muestra un usuario."""

    error: str


class SinCertificado(BaseModel):
    """Por qué un usuario no está certificado."""

    allowed: Literal[False] = False
    message: str


class ErrorDeAcceso(BaseModel):
    """Por qué no se pudo iniciar sesión."""

    error: str
    intentos_restantes: int | None = None
    bloqueo_expira_en: int | None = None
    """Seconds."""


def _sign_in_error(text: str, error: CaudalError) -> ErrorDeAcceso:
    return ErrorDeAcceso(
        error=text,
        intentos_restantes=error.attempts_left if isinstance(error, Unauthenticated) else None,
        bloqueo_expira_en=error.retry_after if isinstance(error, SignInsBlocked) else None,
    )


_STATUSES = {"malformed": 400, "invalid": 400, "sign_ins_blocked": 403}
_WORDS = {FIELD_REQUIRED: "falta", "Extra inputs are not permitted": "no se conoce"}
_NAME_AND_PASSWORD = "Se requieren username y password"

DIALECT = Dialect(
    Mensaje,
    lambda text, _: Mensaje(msg=text),
    statuses=_STATUSES,
    texts={"unauthenticated": "Missing Authorization Header"},
    words=_WORDS,
)
USERS = DIALECT.saying(lacking=_NAME_AND_PASSWORD, already_exists="El usuario ya está registrado")
RESULTS = DIALECT.saying(
    lacking="Faltan campos requeridos: 'patient' y 'result'",
    not_found="Resultado no encontrado",
)
PROFILES = Dialect(
    ErrorDePerfil,
    lambda text, _: ErrorDePerfil(error=text),
    statuses=_STATUSES,
    texts={"unauthenticated": "Missing Authorization Header", "not_found": "Usuario no encontrado"},
)
CERTIFICATION = Dialect(
    SinCertificado,
    lambda text, _: SinCertificado(message=text),
    texts={"unauthenticated": "Missing Authorization Header", "forbidden": "Usuario no autorizado"},
)
SIGN_IN = Dialect(
    ErrorDeAcceso,
    _sign_in_error,
    statuses=_STATUSES,
    texts={
        LACKING: _NAME_AND_PASSWORD,
        "unauthenticated": "Usuario o contraseña incorrectos.",
        "sign_ins_blocked": "IP bloqueada. Intenta más tarde.",
    },
    words=_WORDS,
)
