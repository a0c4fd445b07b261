"""The reports of compliance: rule by rule, in sums, and whether all is good."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from query_api.partner_alliances.compliance import Monto, amounts, check, report
from query_api.queries.context import QueryContext
from schemas.partner_alliances import views
from schemas.view import View
from tests.unit.query_api.asking import request_of

ID = UUID(int=1)


class Views:
    """Some rows; keeps what was asked."""

    def __init__(self, *rows: View) -> None:
        self.rows = rows
        self.asked: tuple[Any, ...] = ()

    async def all_rows(self, request: Request, view: type[View], seen: None, *fixed: tuple[str, str]) -> list[Any]:
        self.asked = (view, *fixed)
        return [row.model_dump() for row in self.rows]


def asked(rows: Views) -> QueryContext:
    return QueryContext(request_of(), rows, None, {}, None, None)  # type: ignore[arg-type]


def assessed(cents: int | None, currency: str | None, status: str) -> views.Assessments:
    row = {"contract_id": ID, "amount_cents": cents, "currency": currency, "status": status}
    return views.Assessments.model_validate(row)


def test_a_report_names_each_rule_and_the_code_of_its_violation() -> None:
    verdicts = [
        {"rule": "amount", "passed": False, "detail": "too much"},
        {"rule": "currency", "passed": True, "detail": "allowed"},
        {"rule": "sanctions", "passed": False, "detail": "listed"},
    ]
    row = views.Assessments.model_validate(
        {"contract_id": ID, "approved": False, "verdicts": verdicts, "amount_cents": 150, "currency": "EUR"}
    )

    shown = report(row.model_dump())

    assert [(rule.regla, rule.cumple, rule.codigo) for rule in shown.reglas] == [
        ("amount", False, "MONTO_INVALIDO"),
        ("currency", True, None),
        ("sanctions", False, "LISTA_DE_SANCIONES"),
    ]
    assert (shown.contrato_id, shown.aprobado, shown.monto, shown.moneda, shown.estado) == (ID, False, 1.5, "EUR", "PENDIENTE")
    assert report(assessed(None, None, "expired").model_dump()).monto is None


async def test_amounts_are_summed_by_currency_and_state() -> None:
    rows = Views(
        assessed(150, "EUR", "active"),
        assessed(50, "EUR", "active"),
        assessed(5, "EUR", "suspended"),
        assessed(7, "COP", "active"),
        assessed(None, None, "active"),
    )

    answer = await amounts(asked(rows))

    assert answer.body.montos == [
        Monto(moneda="COP", estado="ACTIVO", contratos=1, monto=0.07),
        Monto(moneda="EUR", estado="ACTIVO", contratos=2, monto=2.0),
        Monto(moneda="EUR", estado="INACTIVO", contratos=1, monto=0.05),
    ]


async def test_all_is_good_unless_a_contract_waits_because_of_a_rule() -> None:
    waiting = Views(
        views.OpenFindings(contract_id=ID, unmet=("tax_id", "amount")), views.OpenFindings(contract_id=ID, unmet=("tax_id",))
    )

    assert (await check(asked(waiting))).body.compliance == ["amount", "tax_id"]
    assert waiting.asked == (views.OpenFindings, ("is_open", "true"))
    assert (await check(asked(Views()))).body.compliance == "all good"
