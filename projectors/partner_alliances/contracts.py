"""Contracts, filled by two contexts, and what compliance said of them."""

from typing import Any

from projectors.projection import Fold, Projection
from schemas.envelope import Recorded
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


def created(row: Contract | None, recorded: Recorded[ContractCreated]) -> Contract:
    contract = recorded.event
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


def changed(row: Contract | None, recorded: Recorded[ContractChanged]) -> Contract:
    return _changed(row, recorded, terms=recorded.event.terms, ends_on=recorded.event.ends_on)


def activated(row: Contract | None, recorded: Recorded[ContractActivated] | Recorded[ContractResumed]) -> Contract:
    return _changed(row, recorded, status="active", reason=None)


def suspended(row: Contract | None, recorded: Recorded[ContractSuspended]) -> Contract:
    return _changed(row, recorded, status="suspended", reason=recorded.event.reason)


def deactivated(row: Contract | None, recorded: Recorded[ContractDeactivated]) -> Contract:
    return _changed(row, recorded, status="inactive", reason=recorded.event.reason)


def under_revision(row: Contract | None, recorded: Recorded[ContractRevision]) -> Contract:
    return _changed(row, recorded, status="in_revision", reason=recorded.event.reason)


def decided(row: Contract | None, recorded: Recorded[ContractRevisionDecided]) -> Contract:
    decision = recorded.event
    status = "created" if decision.approved else "rejected"
    return _changed(row, recorded, status=status, reason=decision.reason, decided_by=decision.decided_by)


def expired(row: Contract | None, recorded: Recorded[ContractExpired]) -> Contract:
    return _changed(row, recorded, status="expired")


def judged(row: Contract | None, recorded: Recorded[ContractApproved] | Recorded[ContractRejected]) -> Contract:
    """Comes from another context: the contract's own events may be before or after it."""
    row = row or Contract(contract_id=recorded.event.contract_id)
    return row.model_copy(update={"approved": isinstance(recorded.event, ContractApproved)})


def assessed(_: Assessment | None, recorded: Recorded[ContractApproved] | Recorded[ContractRejected]) -> Assessment:
    verdict = recorded.event
    return Assessment(
        contract_id=verdict.contract_id,
        partner_id=verdict.partner_id,
        approved=isinstance(verdict, ContractApproved),
        verdicts=[found.model_dump() for found in verdict.verdicts],
        sanction_list=verdict.sanction_list,
        assessed_at=recorded.recorded_at,
    )


def _changed(row: Contract | None, recorded: Recorded[Any], **fields: object) -> Contract:
    row = row or Contract(contract_id=recorded.event.contract_id)
    return row.model_copy(update={"updated_at": recorded.recorded_at, **fields})


def _contract(recorded: Recorded[Any]) -> object:
    return recorded.event.contract_id


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
