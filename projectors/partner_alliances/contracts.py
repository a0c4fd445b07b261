"""Contracts, about which two contexts report: contracts and compliance."""

from collections.abc import Mapping
from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.message import Event
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
from schemas.partner_alliances.views import Contracts, ContractStatus


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
        case ContractSuspended(reason=reason) | ContractDeactivated(reason=reason) | ContractRevision(reason=reason):
            return row.replace(status=status_after(event.data), reason=reason)
        case ContractRevisionDecided(reason=reason, decided_by=decided_by):
            return row.replace(status=status_after(event.data), reason=reason, decided_by=decided_by)
        case ContractExpired():
            return row.replace(status="expired")
    return row


def status_after(event: Event) -> ContractStatus:
    """Returns the status of a contract after one of its events that changes it."""
    if isinstance(event, ContractRevisionDecided):
        return "created" if event.approved else "rejected"
    return _STATUSES[type(event)]


_STATUSES: Mapping[type[Event], ContractStatus] = {
    ContractActivated: "active",
    ContractResumed: "active",
    ContractSuspended: "suspended",
    ContractDeactivated: "inactive",
    ContractRevision: "in_revision",
    ContractExpired: "expired",
}
STATUS_EVENTS: tuple[type[Event], ...] = (*_STATUSES, ContractRevisionDecided)
"""The events that change the status of a contract."""

PROJECTIONS = (
    Projection(
        Contracts,
        contract,
        events=(ContractCreated, ContractChanged, *STATUS_EVENTS, ContractApproved, ContractRejected),
    ),
)
