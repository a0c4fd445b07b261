"""Contracts: what is agreed with a partner, for how long, and whether it holds."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event
from schemas.partner_alliances.parts import Note, Product
from schemas.partner_alliances.roles import COMPLIANCE


class CreateContract(Command):
    """Makes a contract with a partner by hand, on the terms that its product asks for; compliance decides on it."""

    partner_id: UUID
    product: Product = "AFFILIATION"
    terms: dict[str, Any] = Field(default_factory=dict)
    starts_on: date
    ends_on: date | None = None


class CreateRequestedContract(Command, internal=True):
    """Makes the contract that is a part of a partner's request."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID
    product: Product
    terms: dict[str, Any]
    starts_on: date
    ends_on: date | None


class FailContractCreation(Command, internal=True):
    """Notes that no contract came to be with a partner."""

    partner_id: UUID
    temporary_id: UUID
    error_message: str


class ChangeContract(Command):
    """Changes what is agreed; what is not given stays."""

    contract_id: UUID
    terms: dict[str, Any] | None = None
    ends_on: date | None = None


class SuspendContract(Command):
    """Lets a contract that holds rest."""

    contract_id: UUID
    reason: Note = ""


class ResumeContract(Command):
    """Lets a contract hold again that was suspended."""

    contract_id: UUID


class ActivateContract(Command, internal=True):
    """Lets a contract hold that is approved."""

    contract_id: UUID


class DeactivateContract(Command, internal=True):
    """Takes a contract back for good."""

    contract_id: UUID
    reason: Note


class RequestContractRevision(Command, internal=True):
    """Puts a contract that compliance rejected before somebody who decides."""

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


class _OfContract(Event):
    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = Field(default=None, description="Id of the request that it is a part of.")


class ContractCreated(_OfContract):
    """There is a contract; it holds once it is approved."""

    product: str
    terms: dict[str, Any]
    starts_on: date
    ends_on: date | None


class ContractCreationFailed(Event):
    """No contract came to be with a partner."""

    partner_id: UUID
    temporary_id: UUID
    error_message: str


class ContractChanged(_OfContract):
    """What is agreed has changed."""

    terms: dict[str, Any]
    ends_on: date | None


class ContractActivated(_OfContract):
    """A contract holds."""

    ends_on: date | None


class ContractSuspended(_OfContract):
    """A contract does not hold for the time being."""

    reason: str


class ContractResumed(_OfContract):
    """A contract that was suspended holds again."""


class ContractDeactivated(_OfContract):
    """A contract is taken back for good."""

    reason: str


class ContractRevision(_OfContract):
    """A contract is rejected unless somebody who looks at it decides otherwise."""

    reason: str


class ContractRevisionDecided(_OfContract):
    """Somebody has decided on a contract under revision."""

    approved: bool
    reason: str
    decided_by: str | None


class ContractExpired(_OfContract):
    """A contract's last day is over."""


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
)
