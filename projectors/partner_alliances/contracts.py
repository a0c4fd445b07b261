"""Contracts, filled by two contexts, and what compliance said of them."""

from typing import Any

from projectors.projection import Fold, Projection
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
from schemas.partner_alliances.views import Assessment, Contract


def created(row: Contract | None, recorded: RecordedEvent[ContractCreated]) -> Contract:
    contract = recorded.data
    return _changed(
        row,
        recorded,
        partner_id=contract.partner_id,
        product=contract.product,
        terms=contract.terms,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        created_at=recorded.recorded_at,
    )


def changed(row: Contract | None, recorded: RecordedEvent[ContractChanged]) -> Contract:
    return _changed(row, recorded, terms=recorded.data.terms, ends_on=recorded.data.ends_on)


def activated(row: Contract | None, recorded: RecordedEvent[ContractActivated] | RecordedEvent[ContractResumed]) -> Contract:
    return _changed(row, recorded, status="active", reason=None)


def suspended(row: Contract | None, recorded: RecordedEvent[ContractSuspended]) -> Contract:
    return _changed(row, recorded, status="suspended", reason=recorded.data.reason)


def deactivated(row: Contract | None, recorded: RecordedEvent[ContractDeactivated]) -> Contract:
    return _changed(row, recorded, status="inactive", reason=recorded.data.reason)


def under_revision(row: Contract | None, recorded: RecordedEvent[ContractRevision]) -> Contract:
    return _changed(row, recorded, status="in_revision", reason=recorded.data.reason)


def decided(row: Contract | None, recorded: RecordedEvent[ContractRevisionDecided]) -> Contract:
    decision = recorded.data
    status = "created" if decision.approved else "rejected"
    return _changed(row, recorded, status=status, reason=decision.reason, decided_by=decision.decided_by)


def expired(row: Contract | None, recorded: RecordedEvent[ContractExpired]) -> Contract:
    return _changed(row, recorded, status="expired")


def judged(row: Contract | None, recorded: RecordedEvent[ContractApproved] | RecordedEvent[ContractRejected]) -> Contract:
    """Comes from another context: the contract's own events may be before or after it."""
    row = row or Contract(contract_id=recorded.data.contract_id)
    return row.model_copy(update={"approved": isinstance(recorded.data, ContractApproved)})


def assessed(_: Assessment | None, recorded: RecordedEvent[ContractApproved] | RecordedEvent[ContractRejected]) -> Assessment:
    verdict = recorded.data
    return Assessment(
        contract_id=verdict.contract_id,
        partner_id=verdict.partner_id,
        approved=isinstance(verdict, ContractApproved),
        verdicts=[found.model_dump() for found in verdict.verdicts],
        sanction_list=verdict.sanction_list,
        assessed_at=recorded.recorded_at,
    )


def _changed(row: Contract | None, recorded: RecordedEvent[Any], **fields: object) -> Contract:
    row = row or Contract(contract_id=recorded.data.contract_id)
    return row.model_copy(update={"updated_at": recorded.recorded_at, **fields})


def _contract(recorded: RecordedEvent[Any]) -> object:
    return recorded.data.contract_id


PROJECTIONS = (
    Projection(
        Contract,
        {
            ContractCreated: Fold(_contract, created),
            ContractChanged: Fold(_contract, changed),
            ContractActivated: Fold(_contract, activated),
            ContractSuspended: Fold(_contract, suspended),
            ContractResumed: Fold(_contract, activated),
            ContractDeactivated: Fold(_contract, deactivated),
            ContractRevision: Fold(_contract, under_revision),
            ContractRevisionDecided: Fold(_contract, decided),
            ContractExpired: Fold(_contract, expired),
            ContractApproved: Fold(_contract, judged),
            ContractRejected: Fold(_contract, judged),
        },
    ),
    Projection(
        Assessment,
        {ContractApproved: Fold(_contract, assessed), ContractRejected: Fold(_contract, assessed)},
    ),
)
