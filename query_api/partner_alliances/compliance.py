"""The queries of compliance: reports by contract, amounts, and the rules that are not met."""

from collections import Counter
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from query_api.partner_alliances.rows import CONTRACT_STATES, Estado
from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.partner_alliances import views
from schemas.partner_alliances.clients.dialect import ERRORS
from schemas.partner_alliances.clients.spanish import RULE_VIOLATIONS, monto_of


class Regla(BaseModel):
    """El resultado de una regla de compliance."""

    regla: str
    cumple: bool
    detalle: str
    codigo: str | None


class Reporte(BaseModel):
    """El informe de compliance de un contrato."""

    contrato_id: UUID
    partner_id: UUID | None
    monto: float | None
    moneda: str | None
    estado: Estado
    aprobado: bool | None
    reglas: list[Regla]
    lista_de_sanciones: int
    fecha: datetime | None


class Monto(BaseModel):
    """Los contratos de una moneda y un estado."""

    moneda: str
    estado: Estado
    contratos: int
    monto: float


class Montos(BaseModel):
    """Los montos de los contratos que tienen uno."""

    montos: list[Monto]


class Chequeo(BaseModel):
    """Si algún contrato espera una decisión, las reglas que no cumple."""

    compliance: Literal["all good"] | list[str]


def report(row: Row) -> Reporte:
    return Reporte(
        contrato_id=row["contract_id"],
        partner_id=row["partner_id"],
        monto=monto_of(row["amount_cents"]),
        moneda=row["currency"],
        estado=CONTRACT_STATES[row["status"]],
        aprobado=row["approved"],
        reglas=[
            Regla(
                regla=found["rule"],
                cumple=found["passed"],
                detalle=found["detail"],
                codigo=None if found["passed"] else RULE_VIOLATIONS.get(found["rule"]),
            )
            for found in row["verdicts"]
        ],
        lista_de_sanciones=row["sanction_list"],
        fecha=row["assessed_at"],
    )


async def amounts(context: QueryContext) -> Answer:
    """Returns the sums of the contracts' amounts, by currency and state."""
    cents: Counter[tuple[str, Estado]] = Counter()
    contracts: Counter[tuple[str, Estado]] = Counter()
    for row in await context.views.all_rows(context.request, views.Assessments, None):
        if row["currency"] is not None:
            group = (row["currency"], CONTRACT_STATES[row["status"]])
            cents[group] += row["amount_cents"]
            contracts[group] += 1
    found = [
        Monto(moneda=group[0], estado=group[1], contratos=contracts[group], monto=cents[group] / 100) for group in sorted(cents)
    ]
    return Answer(Montos(montos=found))


async def check(context: QueryContext) -> Answer:
    """Returns the rules that contracts do not meet on which no officer has decided, or that there are none."""
    rows = await context.views.all_rows(context.request, views.OpenFindings, None, ("is_open", "true"))
    unmet = sorted({rule for row in rows for rule in row["unmet"]})
    return Answer(Chequeo(compliance=unmet or "all good"))


QUERIES = (
    Query(
        "/compliance/reportes",
        views.Assessments,
        "Reports of compliance, rule by rule, a page at a time.",
        shape=report,
        errors=ERRORS,
    ),
    Query(
        "/compliance/reportes/montos",
        views.Assessments,
        "The amounts of all contracts, by currency and state.",
        handler=amounts,
        reply=Montos,
        is_page=False,
        errors=ERRORS,
    ),
    Query(
        "/compliance/check",
        views.OpenFindings,
        "The rules that are not met by contracts on which no officer has decided.",
        handler=check,
        reply=Chequeo,
        is_page=False,
        errors=ERRORS,
    ),
)
