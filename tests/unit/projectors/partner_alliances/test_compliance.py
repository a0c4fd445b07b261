"""The views of compliance: contracts with their amounts, open findings, and partners in the financial system."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from projectors.partner_alliances.compliance import PROJECTIONS
from schemas.message import Event
from schemas.partner_alliances import contracts
from schemas.partner_alliances.compliance import ContractApproved, ContractRejected, FinancialAccountRegistered
from schemas.partner_alliances.parts import Amount, RuleVerdict
from tests.unit.projectors.applied import applied

ASSESSMENTS, FINDINGS, ACCOUNTS = PROJECTIONS
WHOSE: dict[str, Any] = {"contract_id": UUID(int=1), "partner_id": UUID(int=2), "temporary_id": UUID(int=3)}
EUROS = Amount(cents=5, currency="EUR")
CREATED = contracts.ContractCreated(**WHOSE, product="P", terms={}, amount=EUROS, starts_on=date(2030, 1, 1), ends_on=None)
VERDICTS = [RuleVerdict(rule="tax_id", passed=False, detail="none"), RuleVerdict(rule="sanctions", passed=True, detail="")]
APPROVED = ContractApproved(**WHOSE, verdicts=VERDICTS[1:], sanction_list=4)
REJECTED = ContractRejected(**WHOSE, verdicts=VERDICTS, sanction_list=4, cause="why")
DECIDED = contracts.ContractRevisionDecided(**WHOSE, approved=True, reason="", decided_by="ana")


def test_an_assessment_has_the_contracts_amount_and_status_in_any_order() -> None:
    activated = contracts.ContractActivated(**WHOSE, ends_on=None)
    for events in ((CREATED, APPROVED, activated), (APPROVED, CREATED, activated)):
        row = applied(ASSESSMENTS, *events)
        assert (row.amount_cents, row.currency, row.status, row.partner_id) == (5, "EUR", "active", UUID(int=2))
        assert (row.approved, row.sanction_list, row.assessed_at) == (True, 4, MIDNIGHT)
        assert row.verdicts == [VERDICTS[1].model_dump()]
    assert applied(ASSESSMENTS, REJECTED).approved is False


def test_an_amount_changes_with_the_terms() -> None:
    changed = contracts.ContractChanged(**WHOSE, terms={}, amount=Amount(cents=7, currency="USD"), ends_on=None)
    row = applied(ASSESSMENTS, CREATED, changed)
    without = applied(ASSESSMENTS, changed.model_copy(update={"amount": None}), row=row)

    assert (row.amount_cents, row.currency) == (7, "USD")
    assert (without.amount_cents, without.currency) == (None, None)


@pytest.mark.parametrize(
    "closing",
    [DECIDED, contracts.ContractDeactivated(**WHOSE, reason="why"), contracts.ContractExpired(**WHOSE)],
    ids=lambda event: event.message_name,
)
def test_a_finding_is_open_until_the_contract_is_decided_or_ends(closing: Event) -> None:
    opened = applied(FINDINGS, REJECTED)

    assert (opened.unmet, opened.is_open) == (("tax_id",), True)
    assert not applied(FINDINGS, closing, row=opened).is_open
    assert not applied(FINDINGS, closing, REJECTED).is_open, "contracts are another context"


def test_an_account_is_shown_in_its_last_state() -> None:
    active = FinancialAccountRegistered(partner_id=UUID(int=2), state="active", enabled_at=MIDNIGHT)
    row = applied(ACCOUNTS, active, active.model_copy(update={"state": "suspended"}))

    assert (row.state, row.enabled_at, row.updated_at) == ("suspended", MIDNIGHT, MIDNIGHT)
