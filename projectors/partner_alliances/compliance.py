"""Compliance: the assessments of contracts, the rules that they do not meet, and the partners in the financial system."""

from typing import Any

from projectors.partner_alliances.contracts import STATUS_EVENTS, status_after
from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.partner_alliances.compliance import ContractApproved, ContractRejected, FinancialAccountRegistered
from schemas.partner_alliances.contracts import (
    ContractChanged,
    ContractCreated,
    ContractDeactivated,
    ContractExpired,
    ContractRevisionDecided,
)
from schemas.partner_alliances.parts import Amount
from schemas.partner_alliances.views import Assessments, FinancialAccounts, OpenFindings


def assessment(row: Assessments, event: RecordedEvent[Any]) -> Assessments:
    match event.data:
        case ContractApproved() | ContractRejected() as verdict:
            return row.replace(
                partner_id=verdict.partner_id,
                approved=isinstance(verdict, ContractApproved),
                verdicts=[found.model_dump() for found in verdict.verdicts],
                sanction_list=verdict.sanction_list,
                assessed_at=event.recorded_at,
            )
        case ContractCreated(partner_id=partner_id, amount=amount):
            return _with_amount(row.replace(partner_id=partner_id), amount)
        case ContractChanged(amount=amount):
            return _with_amount(row, amount)
    return row.replace(status=status_after(event.data))


def _with_amount(row: Assessments, amount: Amount | None) -> Assessments:
    if amount is None:
        return row.replace(amount_cents=None, currency=None)
    return row.replace(amount_cents=amount.cents, currency=amount.currency)


def findings(row: OpenFindings, event: RecordedEvent[Any]) -> OpenFindings:
    if isinstance(event.data, ContractRejected):
        row = row.replace(unmet=tuple(verdict.rule for verdict in event.data.verdicts if not verdict.passed))
    else:  # contracts are another context: the decision may be seen before the finding
        row = row.replace(is_closed=True)
    return row.replace(is_open=bool(row.unmet) and not row.is_closed)


def account(row: FinancialAccounts, event: RecordedEvent[FinancialAccountRegistered]) -> FinancialAccounts:
    return row.replace(state=event.data.state, enabled_at=event.data.enabled_at, updated_at=event.recorded_at)


PROJECTIONS = (
    Projection(
        Assessments,
        assessment,
        events=(ContractApproved, ContractRejected, ContractCreated, ContractChanged, *STATUS_EVENTS),
    ),
    Projection(
        OpenFindings,
        findings,
        events=(ContractRejected, ContractRevisionDecided, ContractDeactivated, ContractExpired),
    ),
    Projection(FinancialAccounts, account, events=(FinancialAccountRegistered,)),
)
