"""Partner alliances' own paths for queries, in their clients' Spanish."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, JsonValue
from starlette.requests import Request

from query_api.http.routes import Answer, QueryRoute, Views
from schemas.partner_alliances.spanish import PARTNER_TYPES, TipoDePartner

SYSTEM = "partner_alliances"

_CONTRACT_STATES: Mapping[str, Literal["PENDIENTE", "ACTIVO", "INACTIVO", "RECHAZADO", "VENCIDO"]] = {
    "created": "PENDIENTE",
    "active": "ACTIVO",
    "inactive": "INACTIVO",
    "in_revision": "RECHAZADO",
    "suspended": "INACTIVO",
    "rejected": "RECHAZADO",
    "expired": "VENCIDO",
}
_PARTNER_STATES: Mapping[str, Literal["PENDIENTE", "ACTIVO", "RETIRADO"]] = {
    "created": "PENDIENTE",
    "active": "ACTIVO",
    "withdrawn": "RETIRADO",
}
_TYPES: Mapping[str, TipoDePartner] = {type: tipo for tipo, type in PARTNER_TYPES.items()}

Row = Mapping[str, Any]


class Partner(BaseModel):
    """Un partner."""

    id: UUID
    partner_id_temporal: UUID | None
    nombre: str | None
    tipo: TipoDePartner | None
    correo: str | None
    estado: Literal["PENDIENTE", "ACTIVO", "RETIRADO"]
    motivo: str | None
    creado: datetime | None


class Programa(BaseModel):
    """Un programa en el que participan partners."""

    id: UUID
    nombre: str | None
    descripcion: str | None
    producto: str | None
    comision: float
    creado: datetime | None


class Contrato(BaseModel):
    """Un contrato."""

    id: UUID
    partner_id: UUID | None
    producto: str | None
    terminos: dict[str, JsonValue]
    fecha_inicio: date | None
    fecha_fin: date | None
    estado: Literal["PENDIENTE", "ACTIVO", "INACTIVO", "RECHAZADO", "VENCIDO"]
    en_revision: bool
    motivo: str | None
    cumple_reglas: bool | None
    decidido_por: str | None
    creado: datetime | None


class Regla(BaseModel):
    """Lo que compliance dijo según una regla."""

    regla: str
    cumple: bool
    detalle: str


class Reporte(BaseModel):
    """Lo que compliance dijo de un contrato."""

    contrato_id: UUID
    partner_id: UUID | None
    aprobado: bool | None
    reglas: list[Regla]
    lista_de_sanciones: int
    fecha: datetime | None


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
        estado=_PARTNER_STATES[row["status"]],
        motivo=row["reason"],
        creado=row["created_at"],
    )


def program(row: Row) -> Programa:
    return Programa(
        id=row["program_id"],
        nombre=row["name"],
        descripcion=row["description"],
        producto=row["product"],
        comision=row["commission_percent"],
        creado=row["created_at"],
    )


def contract(row: Row) -> Contrato:
    return Contrato(
        id=row["contract_id"],
        partner_id=row["partner_id"],
        producto=row["product"],
        terminos=row["terms"],
        fecha_inicio=row["starts_on"],
        fecha_fin=row["ends_on"],
        # What compliance rejects is under revision; what was made by hand has not been judged yet.
        estado="PENDIENTE" if row["status"] == "in_revision" and row["approved"] is None else _CONTRACT_STATES[row["status"]],
        en_revision=row["status"] == "in_revision",
        motivo=row["reason"],
        cumple_reglas=row["approved"],
        decidido_por=row["decided_by"],
        creado=row["created_at"],
    )


def assessment(row: Row) -> Reporte:
    return Reporte(
        contrato_id=row["contract_id"],
        partner_id=row["partner_id"],
        aprobado=row["approved"],
        reglas=[Regla(regla=found["rule"], cumple=found["passed"], detalle=found["detail"]) for found in row["verdicts"]],
        lista_de_sanciones=row["sanction_list"],
        fecha=row["assessed_at"],
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


def _one(view: str, said: Callable[[Row], BaseModel]) -> Callable[[Request, Views], Awaitable[Answer]]:
    async def answer(request: Request, views: Views) -> Answer:
        found = await views.row(request, SYSTEM, view, request.path_params["id"])
        return Answer(said(found.body).model_dump(), found.headers)

    return answer


def _all(view: str, said: Callable[[Row], BaseModel]) -> Callable[[Request, Views], Awaitable[Answer]]:
    async def answer(request: Request, views: Views) -> Answer:
        found = await views.rows(request, SYSTEM, view)
        return Answer([said(row).model_dump() for row in found.body], found.headers)

    return answer


ROUTES = (
    QueryRoute("/partners", "partners", _all("partners", partner), "Partners, a page at a time.", Partner),
    QueryRoute("/partners/{id}", "partners", _one("partners", partner), "One partner.", Partner, one=True),
    QueryRoute("/programas", "programs", _all("programs", program), "Programmes, a page at a time.", Programa),
    QueryRoute("/programas/{id}", "programs", _one("programs", program), "One programme.", Programa, one=True),
    QueryRoute("/contratos", "contracts", _all("contracts", contract), "Contracts, a page at a time.", Contrato),
    QueryRoute("/contratos/{id}", "contracts", _one("contracts", contract), "One contract.", Contrato, one=True),
    QueryRoute(
        "/compliance/reportes", "assessments", _all("assessments", assessment), "What compliance said, rule by rule.", Reporte
    ),
    QueryRoute("/campanas", "campaigns", _all("campaigns", campaign), "Campaigns, a page at a time.", Campana),
    QueryRoute("/campanas/{id}", "campaigns", _one("campaigns", campaign), "One campaign.", Campana, one=True),
)
