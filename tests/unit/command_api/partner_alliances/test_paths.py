"""The Spanish paths of the partner alliances: bodies become commands."""

from datetime import date
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from command_api.partner_alliances.paths import (
    AltaFinanciera,
    CambioDeContrato,
    Contrato,
    NuevoPartner,
    change_contract,
    commission,
    create_commission,
    register_account,
    request_partner,
)
from schemas.envelope import Receipt
from schemas.errors import Invalid, NotFound
from schemas.message import Command
from schemas.partner_alliances.compliance import RegisterFinancialAccount
from schemas.partner_alliances.contracts import ChangeContract, CreateContract, ResumeContract, SuspendContract
from schemas.partner_alliances.integrations import RequestPartner
from schemas.partner_alliances.parts import Profile, TaxId

CONTRACT = UUID(int=1)
PATH = {"id": str(CONTRACT)}
RECEIPT = Receipt(
    command_id=UUID(int=2), stream=f"contract-{CONTRACT}", version=1, position=2, partition=0, recorded_at=MIDNIGHT
)


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({"estado": "ACTIVO"}, ResumeContract(contract_id=CONTRACT)),
        ({"estado": "INACTIVO", "motivo": "impago"}, SuspendContract(contract_id=CONTRACT, reason="impago")),
        ({"fecha_fin": "2026-05-01"}, ChangeContract(contract_id=CONTRACT, ends_on=date(2026, 5, 1))),
        ({"terminos": {"cookie_days": 3}}, ChangeContract(contract_id=CONTRACT, terms={"cookie_days": 3})),
    ],
)
def test_a_contract_is_changed_suspended_or_resumed(body: dict[str, object], command: Command) -> None:
    assert change_contract(CambioDeContrato.model_validate(body), PATH) == command


@pytest.mark.parametrize(
    ("body", "why"), [({}, "nothing is to be changed"), ({"estado": "ACTIVO", "terminos": {}}, "one thing at a time")]
)
def test_nothing_and_two_things_at_once_are_invalid(body: dict[str, object], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        change_contract(CambioDeContrato.model_validate(body), PATH)


@pytest.mark.parametrize("id", ["x", "{01940000-0000-7000-8000-0000000000ff}"])
def test_a_path_that_names_no_contract_is_not_found(id: str) -> None:
    with pytest.raises(NotFound, match=f"there is no contract '{id}'"):
        change_contract(CambioDeContrato(estado="ACTIVO"), {"id": id})


def test_a_request_is_translated_with_its_tax_number_and_its_account() -> None:
    body = NuevoPartner.model_validate(
        {
            "nombre": "Partner ABC",
            "tipo": "AGENCIA",
            "identificacion_fiscal": {"pais": "ES", "numero": "B1"},
            "cuenta_bancaria": {"iban": "ES91"},
        }
    )
    profile = Profile(name="Partner ABC", type="AGENCY", tax_id=TaxId(country="ES", number="B1"))

    assert request_partner(body, {}) == RequestPartner(profile=profile, iban="ES91")
    assert request_partner(NuevoPartner(nombre="Acme"), {}) == RequestPartner(profile=Profile(name="Acme", type="CORPORATE"))


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ({}, RegisterFinancialAccount(partner_id=CONTRACT)),
        ({"state": "SUSPENDED"}, RegisterFinancialAccount(partner_id=CONTRACT, state="suspended")),
        ({"enable_at": "2026-01-01T00:00:00"}, RegisterFinancialAccount(partner_id=CONTRACT, enabled_at=MIDNIGHT)),
        ({"enable_at": "2026-01-01T02:00:00+02:00"}, RegisterFinancialAccount(partner_id=CONTRACT, enabled_at=MIDNIGHT)),
    ],
)
def test_a_time_without_a_zone_is_in_utc(given: dict[str, str], command: Command) -> None:
    assert register_account(AltaFinanciera.model_validate({"partner_id": str(CONTRACT), **given}), {}) == command


COMMISSION = {"partner_id": str(CONTRACT), "tipo": "CPA", "fecha_inicio": "2026-01-01"}


def test_a_commission_becomes_a_contract_and_is_not_active_yet() -> None:
    body = {**COMMISSION, "tipo": "revshare", "monto": 1000.5, "moneda": "COP", "condiciones": "net", "estado": "activo"}
    terms = {"model": "REVSHARE", "amount_cents": 100_050, "currency": "COP", "conditions": "net"}
    command = CreateContract(partner_id=CONTRACT, product="COMMISSION", terms=terms, starts_on=date(2026, 1, 1))

    assert create_commission(Contrato.model_validate(body), {}) == command
    assert commission(command, RECEIPT, []) == {
        "id": str(CONTRACT),
        "partner_id": CONTRACT,
        "tipo": "revshare",
        "fecha_inicio": date(2026, 1, 1),
        "fecha_fin": None,
        "monto": 1000.5,
        "moneda": "COP",
        "condiciones": "net",
        "estado": "inactivo",
        "fecha_creacion": MIDNIGHT,
    }


def test_a_commission_may_have_no_amount() -> None:
    command = create_commission(Contrato.model_validate(COMMISSION), {})

    assert isinstance(command, CreateContract)
    assert command.terms == {"model": "CPA", "amount_cents": None, "currency": "USD", "conditions": ""}
    assert commission(command, RECEIPT, [])["monto"] is None
