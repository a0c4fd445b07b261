"""Compliance: what its rules say of a partner, and who is in the financial system."""

from datetime import timedelta

import pytest

from aggregates.partner_alliances import compliance, rules
from aggregates.scenario import MIDNIGHT, reaction_of
from schemas.errors import AlreadyExists
from schemas.partner_alliances.compliance import (
    ContractApproved,
    ContractRejected,
    EnableFinancialAccount,
    FinancialAccountRegistered,
    PartnerValidated,
    PublishSanctionList,
    RecordAssessment,
    RecordValidation,
    RegisterFinancialAccount,
)
from schemas.partner_alliances.contracts import ContractRevisionDecided
from schemas.partner_alliances.parts import Amount, TaxId
from tests.unit.aggregates.partner_alliances.agreed import ACCOUNT, CONTRACT, LIST, PARTNER, SOUND, WHOSE, scenario

LATER = MIDNIGHT + timedelta(days=1)


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


def test_a_contract_with_an_amount_is_within_the_limits_of_its_product() -> None:
    assess = RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=SOUND, account=ACCOUNT, product="REFERRAL")
    small, large = Amount(cents=1000, currency="USD"), Amount(cents=6_000_000, currency="JPY")
    (approved,) = scenario().given(*LIST).when(assess.model_copy(update={"amount": small})).recorded
    (rejected,) = scenario().given(*LIST).when(assess.model_copy(update={"amount": large})).recorded

    assert isinstance(approved, ContractApproved)
    assert [found.rule for found in approved.verdicts] == ["tax_id", "bank_account", "sanctions", "amount", "currency"]
    assert isinstance(rejected, ContractRejected)
    assert rejected.cause == ("amount: 60000.00 exceeds the limit of 50000.00; currency: JPY is not one of USD, EUR, COP, MXN")


def test_a_partner_is_registered_once_and_again_in_another_state() -> None:
    register = RegisterFinancialAccount(partner_id=PARTNER)
    case = scenario().when(register)
    case.then(FinancialAccountRegistered(partner_id=PARTNER, state="active", enabled_at=MIDNIGHT))
    case.when(register, at=LATER).then()
    case.when(register.model_copy(update={"enabled_at": LATER}))
    case.then(FinancialAccountRegistered(partner_id=PARTNER, state="active", enabled_at=LATER))
    case.when(register.model_copy(update={"state": "suspended"}))
    case.then(FinancialAccountRegistered(partner_id=PARTNER, state="suspended", enabled_at=MIDNIGHT))


def test_the_partner_of_an_approved_contract_is_registered() -> None:
    (policy,) = compliance.POLICIES
    enable = EnableFinancialAccount(partner_id=PARTNER)
    approved = ContractApproved(**WHOSE, verdicts=[], sanction_list=1)
    decided = ContractRevisionDecided(**WHOSE, approved=True, reason="", decided_by="ana")

    for event in (approved, decided):
        assert reaction_of(policy, event) == (enable,)
    assert reaction_of(policy, decided.model_copy(update={"approved": False})) == ()
    case = scenario().when(enable)
    case.then(FinancialAccountRegistered(partner_id=PARTNER, state="active", enabled_at=MIDNIGHT))
    case.when(enable, at=LATER).then()
