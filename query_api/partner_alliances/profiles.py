"""The queries of the clients that maintain partners: ``/api/v1/partners``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from query_api.partner_alliances.rows import PARTNER_STATES, Onboarding
from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import MAX_LIMIT, Row
from schemas.partner_alliances.clients.dialect import PARTNERS
from schemas.partner_alliances.clients.spanish import WORDS_FOR_KYC, EstadoKyc
from schemas.partner_alliances.partners import MAILBOX_TAKEN, IntegrationType
from schemas.partner_alliances.rejections import PartnerIsDeleted
from schemas.partner_alliances.views import PartnerProfiles

Estado = Literal["ACTIVO", "INACTIVO", "ELIMINADO", "RECHAZADO"]
_STATES: Mapping[str, Estado] = {
    "active": "ACTIVO",
    "inactive": "INACTIVO",
    "deleted": "ELIMINADO",
    "rejected": "RECHAZADO",
}
_REASONS = {MAILBOX_TAKEN: "Ya existe un partner con este email"}
_LISTED = ("status[in]", "active,inactive")


class _Partner(BaseModel):
    id: UUID
    nombre: str | None
    email: str | None
    telefono: str | None
    estado: Estado
    estado_kyc: EstadoKyc
    onboarding: Onboarding
    fecha_creacion: datetime | None


class PartnerListado(_Partner):
    """Un partner de la lista."""

    integraciones_count: int


class Partners(BaseModel):
    """Los partners que no están eliminados ni rechazados."""

    partners: list[PartnerListado]
    total: int


class Integracion(BaseModel):
    """Una integración con un sistema del partner."""

    id: UUID
    tipo: IntegrationType
    nombre: str
    descripcion: str
    activa: bool
    fecha_creacion: datetime
    fecha_revocacion: datetime | None


class PartnerCompleto(_Partner):
    """Un partner con todo lo que se sabe de él."""

    motivo: str | None = Field(description="Por qué se rechazó su registro.")
    direccion: str | None
    documentos_kyc: dict[str, Any] | None
    fecha_actualizacion: datetime | None
    integraciones: list[Integracion]


class Detalle(BaseModel):
    """La respuesta sobre un partner."""

    partner: PartnerCompleto


def listed(row: Row) -> PartnerListado:
    return PartnerListado(**_beginning(row), integraciones_count=len(row["integrations"]))


def detail(row: Row) -> Detalle:
    documents = row["kyc_documents"]
    partner = PartnerCompleto(
        **_beginning(row),
        motivo=_REASONS.get(row["reason"], row["reason"]),
        direccion=row["address"],
        documentos_kyc=None if documents is None else orjson.loads(documents),
        fecha_actualizacion=row["updated_at"],
        integraciones=list(map(_integration, row["integrations"])),
    )
    return Detalle(partner=partner)


async def partners(context: QueryContext) -> Answer:
    """Returns the partners that are neither deleted nor rejected, the oldest first."""
    given = context.request.query_params
    order = () if "sort" in given else (("sort", "created_at"),)
    page = await context.views.page(context.request, PartnerProfiles, _LISTED, *order, limit=MAX_LIMIT)
    found = list(map(listed, page.rows))
    return context.page(page, Partners(partners=found, total=len(found)))


async def partner(context: QueryContext) -> Answer:
    """Returns a partner; raises `PartnerIsDeleted`."""
    id = context.path_parameter("id")
    row = await context.views.row(context.request, PartnerProfiles, id)
    if row["status"] == "deleted":
        raise PartnerIsDeleted(f"the partner {id} is deleted")
    return Answer(detail(row))


def _beginning(row: Row) -> dict[str, Any]:
    return {
        "id": row["partner_id"],
        "nombre": row["name"],
        "email": row["email"],
        "telefono": row["phone"],
        "estado": _STATES[row["status"]],
        "estado_kyc": WORDS_FOR_KYC[row["kyc_status"]],
        "onboarding": PARTNER_STATES[row["onboarding"]],
        "fecha_creacion": row["created_at"],
    }


def _integration(found: Mapping[str, Any]) -> Integracion:
    return Integracion(
        id=found["id"],
        tipo=found["type"],
        nombre=found["name"],
        descripcion=found["description"],
        activa=found["active"],
        fecha_creacion=found["created_at"],
        fecha_revocacion=found["revoked_at"],
    )


QUERIES = (
    Query(
        "/api/v1/partners",
        PartnerProfiles,
        "The partners that are neither deleted nor rejected, a page at a time.",
        shape=listed,
        handler=partners,
        reply=Partners,
        limit=MAX_LIMIT,
        errors=PARTNERS,
    ),
    Query(
        "/api/v1/partners/{id}",
        PartnerProfiles,
        "One partner with its integrations.",
        key="id",
        shape=detail,
        handler=partner,
        errors=PARTNERS,
    ),
)
