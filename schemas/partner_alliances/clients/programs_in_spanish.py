"""A programme as the partner alliances' clients see it, from the write side and from its view."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from schemas.partner_alliances.clients.spanish import (
    AFFILIATION_STATUSES,
    PROGRAM_STATUSES,
    PROGRAM_TYPES,
    EstadoDeAfiliacion,
    EstadoDePrograma,
    TipoDePrograma,
    monto_of,
)
from schemas.partner_alliances.parts import Affiliation, AffiliationStatus, ProgramDetails, ProgramStatus, ProgramType

_STATUSES: Mapping[ProgramStatus, EstadoDePrograma] = {status: word for word, status in PROGRAM_STATUSES.items()}
_TYPES: Mapping[ProgramType, TipoDePrograma] = {type: word for word, type in PROGRAM_TYPES.items()}
_AFFILIATIONS: Mapping[AffiliationStatus, EstadoDeAfiliacion] = {status: word for word, status in AFFILIATION_STATUSES.items()}


class Vigencia(BaseModel):
    """Desde cuándo y hasta cuándo."""

    inicio: date
    fin: date | None


class Terminos(BaseModel):
    """Lo que paga un programa, y cuánto como máximo."""

    modelo: str
    moneda: str
    tarifa_base: float
    tope: float | None


class Afiliacion(BaseModel):
    """La afiliación de un partner a un programa."""

    afiliacion_id: UUID | None
    programa_id: UUID
    afiliado_id: str
    estado: EstadoDeAfiliacion
    fecha_alta: date | None
    fecha_baja: date | None
    creado_en: datetime | None
    actualizado_en: datetime | None


class Programa(BaseModel):
    """Un programa en el que participan partners."""

    id: UUID
    programa_id: UUID
    nombre: str | None
    descripcion: str | None
    producto: str | None
    comision: float
    estado: EstadoDePrograma | None
    tipo: TipoDePrograma | None
    brand_id: str | None
    vigencia: Vigencia | None
    terminos: Terminos | None
    creado: datetime | None
    creado_en: datetime | None
    modificado_en: datetime | None
    afiliaciones: list[Afiliacion]


def programme(
    id: UUID,
    at: datetime | None,
    details: ProgramDetails | None,
    *,
    name: str | None,
    description: str | None,
    product: str | None,
    commission_percent: float,
) -> Programa:
    """Returns a programme that was created at a time, and was not changed since."""
    terms = None if details is None else details.terms
    return Programa(
        id=id,
        programa_id=id,
        nombre=name,
        descripcion=description,
        producto=product,
        comision=commission_percent,
        estado=None if details is None else _STATUSES[details.status],
        tipo=None if details is None else _TYPES[details.type],
        brand_id=None if details is None else details.brand_id,
        vigencia=None if details is None else Vigencia(inicio=details.starts_on, fin=details.ends_on),
        terminos=None
        if terms is None
        else Terminos(
            modelo=terms.model,
            moneda=terms.currency,
            tarifa_base=terms.base_rate_cents / 100,
            tope=monto_of(terms.cap_cents),
        ),
        creado=at,
        creado_en=at,
        modificado_en=at,
        afiliaciones=[] if details is None else [_affiliation(id, at, one) for one in details.affiliations],
    )


def _affiliation(program_id: UUID, at: datetime | None, found: Affiliation) -> Afiliacion:
    return Afiliacion(
        afiliacion_id=found.affiliation_id,
        programa_id=program_id,
        afiliado_id=found.affiliate_id,
        estado=_AFFILIATIONS[found.status],
        fecha_alta=found.joined_on,
        fecha_baja=found.left_on,
        creado_en=at,
        actualizado_en=at,
    )
