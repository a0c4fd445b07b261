"""The documents on the alliances' topics of contracts."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT, recorded
from schemas.message import Event
from schemas.partner_alliances.clients.topics import OUTGOING
from schemas.partner_alliances.compliance import ContractApproved, ContractRejected
from schemas.partner_alliances.contracts import ContractCreated, ContractRevision, ContractRevisionDecided
from schemas.partner_alliances.parts import Amount, RuleVerdict

CONTRACT, PARTNER = UUID(int=1), UUID(int=2)
IDS: dict[str, Any] = {"contract_id": CONTRACT, "partner_id": PARTNER, "temporary_id": None}
SHOWN = {"contrato_id": str(CONTRACT), "partner_id": str(PARTNER)}
AMOUNT = Amount(cents=150_050, currency="EUR")
MONEY = {"monto": 1500.5, "moneda": "EUR", "tipo": "AFFILIATION"}
GOOD = RuleVerdict(rule="sanctions", passed=True, detail="no name is on the list")
LISTED = RuleVerdict(rule="sanctions", passed=False, detail="95 % similar to 'jose perez', which is on the list")
BAD = RuleVerdict(rule="amount", passed=False, detail="it is too high")
AT = MIDNIGHT.isoformat()


@pytest.mark.parametrize(
    ("event", "content"),
    [
        (
            ContractCreated(**IDS, product="AFFILIATION", terms={}, amount=AMOUNT, starts_on=date(2030, 1, 1), ends_on=None),
            {"estado": "inactivo", **MONEY, "fecha_inicio": "2030-01-01", "fecha_fin": None, "fecha_creacion": AT},
        ),
        (
            ContractApproved(**IDS, product="AFFILIATION", amount=AMOUNT, verdicts=[GOOD], sanction_list=1),
            {"estado": "activo", **MONEY, "fecha_aprobacion": AT, "validaciones_pasadas": ["sanctions"]},
        ),
        (
            ContractRejected(
                **IDS, verdicts=[GOOD, BAD, LISTED], sanction_list=1, cause="amount: it is too high; sanctions: …"
            ),
            {
                "estado": "rechazado",
                "monto": None,
                "moneda": None,
                "tipo": None,
                "fecha_rechazo": AT,
                "causa_rechazo": "MONTO_INVALIDO, LISTA_DE_SANCIONES",
                "validacion_fallida": "amount",
            },
        ),
        (
            ContractRevision(**IDS, reason="95 % similar to 'jose perez'"),
            {"estado": "inactivo", "motivo": "Requiere la decisión de un oficial de compliance"},
        ),
        (
            ContractRevisionDecided(**IDS, approved=True, reason="no objection", decided_by="officer"),
            {
                "estado": "activo",
                "monto": None,
                "moneda": None,
                "tipo": None,
                "fecha_aprobacion": AT,
                "validaciones_pasadas": [],
            },
        ),
    ],
)
def test_what_happens_to_contracts_is_published_as_documents(event: Event, content: dict[str, Any]) -> None:
    (topic,) = (one for one in OUTGOING if one.event is type(event))

    assert topic.content(recorded(event)) == {**SHOWN, **content}


def test_a_contract_that_an_officer_rejects_is_not_published_again() -> None:
    (topic,) = (one for one in OUTGOING if one.event is ContractRevisionDecided)

    assert topic.content(recorded(ContractRevisionDecided(**IDS, approved=False, reason="no", decided_by=None))) is None
