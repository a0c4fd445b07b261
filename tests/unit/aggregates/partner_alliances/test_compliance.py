"""Compliance: what its rules say of a partner."""

import pytest

from aggregates.partner_alliances import rules
from schemas.errors import AlreadyExists
from schemas.partner_alliances.compliance import (
    ContractApproved,
    ContractRejected,
    PartnerValidated,
    PublishSanctionList,
    RecordAssessment,
    RecordValidation,
)
from schemas.partner_alliances.parts import TaxId
from tests.unit.aggregates.partner_alliances.agreed import ACCOUNT, CONTRACT, LIST, PARTNER, SOUND, scenario


def test_each_rule_is_named() -> None:
    case = scenario().given(*LIST).when(RecordValidation(profile=SOUND, account=ACCOUNT))
    (validated,) = case.recorded
    assert isinstance(validated, PartnerValidated)
    assert validated.approved
    assert [(found.rule, found.passed) for found in validated.verdicts] == [
        ("tax_id", True),
        ("bank_account", True),
        ("sanctions", True),
    ]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"tax_id": TaxId(country="ES", number="B58378432")}, "tax_id: the tax number is not one of ES"),
        ({"tax_id": TaxId(country="ZZ", number="1")}, "tax_id: the form of tax numbers of ZZ is not known"),
        ({"tax_id": None}, "tax_id: no tax number is given"),
        ({"name": "Petrov, Ivan"}, "sanctions: 100 % similar to 'ivan petrov'"),
        ({"name": "EVIL CORP"}, "sanctions: 100 % similar to 'evil corp'"),
    ],
)
def test_a_contract_is_rejected_for_each_rule_that_is_broken(change: dict[str, object], broken: str) -> None:
    profile = SOUND.model_copy(update=change)
    case = scenario().given(*LIST)
    case.when(RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=profile, account=ACCOUNT))
    (rejected,) = case.recorded
    assert isinstance(rejected, ContractRejected)
    assert rejected.cause.startswith(broken)
    assert sum(not found.passed for found in rejected.verdicts) == 1


def test_a_contract_with_an_account_that_is_none_is_rejected() -> None:
    account = rules.account_verdict("ES00", None, None)
    case = scenario().given(*LIST)
    case.when(RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=SOUND, account=account))
    assert case.recorded[0].cause.startswith("bank_account: the IBAN")  # type: ignore[attr-defined]


def test_without_a_list_nobody_is_approved() -> None:
    case = scenario().when(RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=SOUND, account=ACCOUNT))
    assert "no sanction list has been published" in case.recorded[0].cause  # type: ignore[attr-defined]


def test_a_verdict_is_given_once_and_names_its_list() -> None:
    case = scenario().when(PublishSanctionList(names=["Nobody"])).when(PublishSanctionList(names=["No one"]))
    assess = RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=SOUND, account=ACCOUNT)
    case.when(assess)
    (approved,) = case.recorded
    assert isinstance(approved, ContractApproved)
    assert approved.sanction_list == 2
    case.when(assess).then_rejected(AlreadyExists)
