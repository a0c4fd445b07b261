"""The errors of the partner alliances' own paths, as their clients know them, in Spanish."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import get_args

from pydantic import BaseModel

from schemas.clients import spanish
from schemas.clients.dialect import FIELD_REQUIRED, Dialect
from schemas.errors import CaudalError, Invalid
from schemas.partner_alliances.clients.spanish import (
    ACCOUNT_STATES,
    AFFILIATION_STATUSES,
    COMMISSION_MODELS,
    KYC_STATUSES,
    PARTNER_TYPES,
    PROGRAM_STATUSES,
    PROGRAM_TYPES,
)
from schemas.partner_alliances.partners import IntegrationType
from schemas.partner_alliances.parts import ProgramModel


class Error(BaseModel):
    """Un error."""

    error: str


class ErrorConCodigo(BaseModel):
    """Un error, y su código."""

    error: str
    codigo: str


_CODES = {
    "malformed": "DATOS_INVALIDOS",
    "invalid": "DATOS_INVALIDOS",
    "mailbox_taken": "EMAIL_EXISTENTE",
    "not_found": "PARTNER_NO_ENCONTRADO",
    "partner_not_found": "PARTNER_NO_ENCONTRADO",
    "partner_deleted": "PARTNER_ELIMINADO",
    "integration_not_found": "INTEGRACION_NO_ENCONTRADA",
    "integration_revoked": "INTEGRACION_YA_REVOCADA",
    "internal": "ERROR_INTERNO",
    "unsupported_format": "FORMATO_NO_ADMITIDO",
    "unauthenticated": "NO_AUTENTICADO",
    "forbidden": "NO_AUTORIZADO",
    "too_many_requests": "DEMASIADAS_SOLICITUDES",
}
"""By kinds of errors; the code of another kind is its name in capital characters."""
_CODES_OF_MEMBERS = {"/estado_kyc": "ESTADO_KYC_INVALIDO", "/tipo": "TIPO_INTEGRACION_INVALIDO"}
_AGAIN = "No disponible: intente de nuevo más tarde"
_TEXTS = {
    **spanish.TEXTS,
    "malformed": "La solicitud no se puede leer",
    "unsupported_format": "El formato del cuerpo no se admite",
    "conflict": "Otra operación cambió lo mismo: intente de nuevo",
    "in_progress": "La misma operación está en curso: intente de nuevo",
    "key_reused": "La clave se usó antes para otra operación",
    "precondition_failed": "La versión no es la esperada",
    "precondition_required": "Se requiere la versión esperada",
    "too_many_requests": "Demasiadas solicitudes",
    "too_costly": "La consulta tarda demasiado",
    **dict.fromkeys(("unavailable", "raced", "overloaded", "not_yet_seen", "view_outdated"), _AGAIN),
    **dict.fromkeys(("bad_gateway", "gateway_timeout"), "No se sabe si la petición se realizó"),
    "rejected": "La operación no es posible",
    "failed": "La operación falló",
    "already_exists": "Ya existe",
    "does_not_exist": "No existe",
    "partner_ended": "El partner está retirado o eliminado",
    "partner_not_active": "El partner no está activo",
    "contract_status": "El estado del contrato no lo permite",
    "contract_not_in_revision": "El contrato no está en revisión",
    "last_day_over": "El último día del contrato ya pasó: cámbielo primero",
    "ends_too_early": "El último día es anterior al primero, o ya pasó",
    "no_such_product": "No existe el producto",
    "terms_do_not_fit": "Los términos no corresponden al producto",
    "mailbox_taken": "Ya existe un partner con este email",
    "not_found": "Partner no encontrado",
    "partner_not_found": "Partner no encontrado",
    "partner_deleted": "El partner está eliminado",
    "integration_not_found": "Integración no encontrada",
    "integration_revoked": "La integración ya está revocada",
    "internal": "Error interno del servidor",
}
_STATUSES = {
    "malformed": 400,
    "invalid": 400,
    "mailbox_taken": 409,
    "partner_not_found": 404,
    "partner_deleted": 410,
    "integration_not_found": 404,
    "integration_revoked": 410,
}


def _choices(words: Iterable[str]) -> tuple[str, str]:
    """Returns what pydantic says about a value that is none of some words, and the same in Spanish."""
    *most, last = (f"'{word}'" for word in words)
    return f"Input should be {', '.join(most)} or {last}", f"debe ser uno de: {', '.join(words)}"


_CHOICES: tuple[Iterable[str], ...] = (
    *(KYC_STATUSES, get_args(IntegrationType), PARTNER_TYPES, ACCOUNT_STATES, COMMISSION_MODELS),
    *(PROGRAM_STATUSES, PROGRAM_TYPES, AFFILIATION_STATUSES, get_args(ProgramModel), ("ACTIVO", "INACTIVO")),
)
_LENGTHS = ((3, 254), (1, 50), (1, 500), (1, 2000), (1, 20_000))
"""Of sensitive texts, in characters."""
WORDS = {
    **spanish.WORDS,
    "Extra inputs are not permitted": "no se conoce",
    **spanish.lengths(*_LENGTHS),
    "Input should be greater than or equal to 0": "debe ser 0 o más",
    **dict(map(_choices, _CHOICES)),
}


def _with_codes(codes: Mapping[str, str]) -> Callable[[str, CaudalError], BaseModel]:
    def body(text: str, error: CaudalError) -> BaseModel:
        wrong = (one for one in error.violations if one.detail != FIELD_REQUIRED) if isinstance(error, Invalid) else ()
        of_member = next((_CODES_OF_MEMBERS[one.pointer] for one in wrong if one.pointer in _CODES_OF_MEMBERS), None)
        return ErrorConCodigo(error=text, codigo=of_member or codes.get(error.kind) or error.kind.upper())

    return body


def _of_partners(**codes: str) -> Dialect:
    return Dialect(ErrorConCodigo, _with_codes({**_CODES, **codes}), statuses=_STATUSES, texts=_TEXTS, words=WORDS)


PARTNERS = _of_partners()
NEW_PARTNER = PARTNERS.saying(lacking="Nombre y email son requeridos")
CHANGED_PARTNER = PARTNERS.saying(lacking="Datos requeridos para actualización")
DELETED_PARTNER = _of_partners(partner_deleted="PARTNER_YA_ELIMINADO")
KYC = PARTNERS.saying(lacking="Estado KYC es requerido")
NEW_INTEGRATION = PARTNERS.saying(lacking="Tipo y nombre son requeridos")
REVOKED_INTEGRATION = _of_partners(not_found="INTEGRACION_NO_ENCONTRADA").saying(not_found="Integración no encontrada")

ERRORS = Dialect(Error, lambda text, _: Error(error=text), texts={**_TEXTS, "not_found": "No encontrado"}, words=WORDS)
CONTRACTS = ERRORS.saying(not_found="No existe el contrato", does_not_exist="No existe el contrato")
CHECKED = replace(ERRORS, statuses={"malformed": 400, "invalid": 400})
"""On paths whose clients know 400 for every fault of a body."""
