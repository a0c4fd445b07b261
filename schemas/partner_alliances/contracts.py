"""Contracts: the terms agreed with a partner, their duration, and their status."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event
from schemas.partner_alliances.parts import Amount, Note, Product
from schemas.partner_alliances.roles import COMPLIANCE


class CreateContract(Command):
    """Creates a contract with a partner by hand, with the terms of its product. Compliance decides on it."""

    partner_id: UUID
    product: Product = "AFFILIATION"
    terms: dict[str, Any] = Field(default_factory=dict)
    starts_on: date
    ends_on: date | None = None


class CreateRequestedContract(Command, internal=True):
    """Creates the contract that is a part of a partner's request."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID
    product: Product
    terms: dict[str, Any]
    starts_on: date
    ends_on: date | None


class FailContractCreation(Command, internal=True):
    """Records that no contract was created with a partner."""

    partner_id: UUID
    temporary_id: UUID
    error_message: str


class ChangeContract(Command):
    """Changes a contract; fields that are not given stay the same."""

    contract_id: UUID
    terms: dict[str, Any] | None = None
    ends_on: date | None = None


class SuspendContract(Command):
    """Suspends an active contract."""

    contract_id: UUID
    reason: Note = ""


class ResumeContract(Command):
    """Resumes a suspended contract."""

    contract_id: UUID


class ActivateContract(Command, internal=True):
    """Activates an approved contract."""

    contract_id: UUID


class DeactivateContract(Command, internal=True):
    """Deactivates a contract permanently."""

    contract_id: UUID
    reason: Note


class RequestContractRevision(Command, internal=True):
    """Puts a contract that compliance rejected under revision by an officer."""

    contract_id: UUID
    reason: Note


class DecideContractRevision(Command, access=COMPLIANCE):
    """Decides on a contract under revision."""

    contract_id: UUID
    approved: bool
    reason: Note = ""


class ExpireContract(Command, internal=True):
    """Ends a contract whose last day is over."""

    contract_id: UUID


class ExcludeCounterparty(Command, internal=True):
    """Ends the contracts with a partner, and forbids further ones."""

    partner_id: UUID
    reason: Note


class _OfContract(Event):
    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = Field(default=None, description="Id of the request that the contract belongs to.")


class ContractCreated(_OfContract):
    """A contract was created; it becomes active once it is approved."""

    product: str
    terms: dict[str, Any]
    amount: Amount | None = None
    starts_on: date
    ends_on: date | None


class ContractCreationFailed(Event):
    """No contract was created with a partner."""

    partner_id: UUID
    temporary_id: UUID
    error_message: str


class ContractChanged(_OfContract):
    """A contract was changed."""

    terms: dict[str, Any]
    amount: Amount | None = None
    ends_on: date | None


class ContractActivated(_OfContract):
    """A contract was activated."""

    ends_on: date | None


class ContractSuspended(_OfContract):
    """A contract was suspended."""

    reason: str


class ContractResumed(_OfContract):
    """A suspended contract was resumed."""


class ContractDeactivated(_OfContract):
    """A contract was deactivated permanently."""

    reason: str


class ContractRevision(_OfContract):
    """A contract was put under revision: it is rejected unless an officer approves it."""

    reason: str


class ContractRevisionDecided(_OfContract):
    """An officer decided on a contract under revision."""

    approved: bool
    reason: str
    decided_by: str | None


class ContractExpired(_OfContract):
    """A contract expired: its last day is over."""


class CounterpartyBound(Event):
    """A partner has one more contract."""

    partner_id: UUID
    contract_id: UUID


class CounterpartyExcluded(Event):
    """The contracts with a partner are to end, and further ones are forbidden."""

    partner_id: UUID
    contract_ids: tuple[UUID, ...]
    reason: str


COMMANDS = (
    CreateContract,
    CreateRequestedContract,
    FailContractCreation,
    ChangeContract,
    SuspendContract,
    ResumeContract,
    ActivateContract,
    DeactivateContract,
    RequestContractRevision,
    DecideContractRevision,
    ExpireContract,
    ExcludeCounterparty,
)
EVENTS = (
    ContractCreated,
    ContractCreationFailed,
    ContractChanged,
    ContractActivated,
    ContractSuspended,
    ContractResumed,
    ContractDeactivated,
    ContractRevision,
    ContractRevisionDecided,
    ContractExpired,
    CounterpartyBound,
    CounterpartyExcluded,
)
