"""Rows of the partner alliances' views in Spanish, as pages and one by one."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, JsonValue

from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.partner_alliances import views
from schemas.partner_alliances.clients import dialect
from schemas.partner_alliances.clients.programs_in_spanish import Programa, programme
from schemas.partner_alliances.clients.spanish import PARTNER_TYPES, TipoDePartner
from schemas.partner_alliances.parts import ProgramDetails

Estado = Literal["PENDIENTE", "ACTIVO", "INACTIVO", "RECHAZADO", "VENCIDO"]
CONTRACT_STATES: Mapping[str, Estado] = {
    "created": "PENDIENTE",
    "active": "ACTIVO",
    "inactive": "INACTIVO",
    "in_revision": "RECHAZADO",
    "suspended": "INACTIVO",
    "rejected": "RECHAZADO",
    "expired": "VENCIDO",
}
Onboarding = Literal["PENDIENTE", "ACTIVO", "RETIRADO", "ELIMINADO"]
PARTNER_STATES: Mapping[str, Onboarding] = {
    "created": "PENDIENTE",
    "active": "ACTIVO",
    "withdrawn": "RETIRADO",
    "deleted": "ELIMINADO",
}
_TYPES: Mapping[str, TipoDePartner] = {type: tipo for tipo, type in PARTNER_TYPES.items()}


class Partner(BaseModel):
    """Un partner."""

    id: UUID
    partner_id_temporal: UUID | None
    nombre: str | None
    tipo: TipoDePartner | None
    correo: str | None
    estado: Onboarding
    motivo: str | None
    creado: datetime | None


class Contrato(BaseModel):
    """Un contrato."""

    id: UUID
    partner_id: UUID | None
    producto: str | None
    terminos: dict[str, JsonValue]
    fecha_inicio: date | None
    fecha_fin: date | None
    estado: Estado
    en_revision: bool
    motivo: str | None
    cumple_reglas: bool | None
    decidido_por: str | None
    creado: datetime | None


class Campana(BaseModel):
    """Una campaña."""

    id: UUID
    partner_id: UUID | None
    nombre: str | None
    descripcion: str | None
    presupuesto_centavos: int
    fecha_inicio: date | None
    fecha_fin: date | None
    creado: datetime | None


def partner(row: Row) -> Partner:
    return Partner(
        id=row["partner_id"],
        partner_id_temporal=row["temporary_id"],
        nombre=row["name"],
        tipo=_TYPES.get(row["type"]),
        correo=row["email"],
        estado=PARTNER_STATES[row["status"]],
        motivo=row["reason"],
        creado=row["created_at"],
    )


def program(row: Row) -> Programa:
    details = row["details"]
    return programme(
        row["program_id"],
        row["created_at"],
        None if details is None else ProgramDetails.model_validate(details),
        name=row["name"],
        description=row["description"],
        product=row["product"],
        commission_percent=row["commission_percent"],
    )


def contract(row: Row) -> Contrato:
    return Contrato(
        id=row["contract_id"],
        partner_id=row["partner_id"],
        producto=row["product"],
        terminos=row["terms"],
        fecha_inicio=row["starts_on"],
        fecha_fin=row["ends_on"],
        # Compliance rejects a contract into revision; a contract in revision without a verdict was created by hand.
        estado="PENDIENTE" if row["status"] == "in_revision" and row["approved"] is None else CONTRACT_STATES[row["status"]],
        en_revision=row["status"] == "in_revision",
        motivo=row["reason"],
        cumple_reglas=row["approved"],
        decidido_por=row["decided_by"],
        creado=row["created_at"],
    )


def campaign(row: Row) -> Campana:
    return Campana(
        id=row["campaign_id"],
        partner_id=row["partner_id"],
        nombre=row["name"],
        descripcion=row["description"],
        presupuesto_centavos=row["budget_cents"],
        fecha_inicio=row["starts_on"],
        fecha_fin=row["ends_on"],
        creado=row["created_at"],
    )


QUERIES = (
    Query("/partners", views.Partners, "Partners, a page at a time.", shape=partner, errors=dialect.ERRORS),
    Query("/partners/{id}", views.Partners, "One partner.", key="id", shape=partner, errors=dialect.ERRORS),
    Query("/programas", views.Programs, "Programmes, a page at a time.", shape=program, errors=dialect.ERRORS),
    Query("/programas/{id}", views.Programs, "One programme.", key="id", shape=program, errors=dialect.ERRORS),
    Query("/contratos", views.Contracts, "Contracts, a page at a time.", shape=contract, errors=dialect.CONTRACTS),
    Query("/contratos/{id}", views.Contracts, "One contract.", key="id", shape=contract, errors=dialect.CONTRACTS),
    Query("/campanas", views.Campaigns, "Campaigns, a page at a time.", shape=campaign, errors=dialect.ERRORS),
    Query("/campanas/{id}", views.Campaigns, "One campaign.", key="id", shape=campaign, errors=dialect.ERRORS),
)
