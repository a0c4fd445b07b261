"""Contracts, about which two contexts report, and their assessments by compliance."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.partner_alliances.compliance import ContractApproved, ContractRejected
from schemas.partner_alliances.contracts import (
    ContractActivated,
    ContractChanged,
    ContractCreated,
    ContractDeactivated,
    ContractExpired,
    ContractResumed,
    ContractRevision,
    ContractRevisionDecided,
    ContractSuspended,
)
from schemas.partner_alliances.views import Assessments, Contracts


def contract(row: Contracts, event: RecordedEvent[Any]) -> Contracts:
    match event.data:
        # Compliance is another context: its events come before or after those of the contract itself.
        case ContractApproved():
            return row.replace(approved=True)
        case ContractRejected():
            return row.replace(approved=False)
    return _own(row.replace(updated_at=event.recorded_at), event)


def _own(row: Contracts, event: RecordedEvent[Any]) -> Contracts:
    match event.data:
        case ContractCreated() as created:
            fields = {name: getattr(created, name) for name in ("partner_id", "product", "terms", "starts_on", "ends_on")}
            return row.replace(**fields, created_at=event.recorded_at)
        case ContractChanged(terms=terms, ends_on=ends_on):
            return row.replace(terms=terms, ends_on=ends_on)
        case ContractActivated() | ContractResumed():
            return row.replace(status="active", reason=None)
        case ContractSuspended(reason=reason):
            return row.replace(status="suspended", reason=reason)
        case ContractDeactivated(reason=reason):
            return row.replace(status="inactive", reason=reason)
        case ContractRevision(reason=reason):
            return row.replace(status="in_revision", reason=reason)
        case ContractRevisionDecided(approved=approved, reason=reason, decided_by=decided_by):
            return row.replace(status="created" if approved else "rejected", reason=reason, decided_by=decided_by)
        case ContractExpired():
            return row.replace(status="expired")
    return row


def assessment(row: Assessments, event: RecordedEvent[ContractApproved] | RecordedEvent[ContractRejected]) -> Assessments:
    verdict = event.data
    return row.replace(
        partner_id=verdict.partner_id,
        approved=isinstance(verdict, ContractApproved),
        verdicts=[found.model_dump() for found in verdict.verdicts],
        sanction_list=verdict.sanction_list,
        assessed_at=event.recorded_at,
    )


PROJECTIONS = (
    Projection(
        Contracts,
        contract,
        events=(
            ContractCreated,
            ContractChanged,
            ContractActivated,
            ContractSuspended,
            ContractResumed,
            ContractDeactivated,
            ContractRevision,
            ContractRevisionDecided,
            ContractExpired,
            ContractApproved,
            ContractRejected,
        ),
    ),
    Projection(Assessments, assessment, events=(ContractApproved, ContractRejected)),
)
