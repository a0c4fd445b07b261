"""Contracts: created, approved or put under revision, changed, suspended, and expired when their last day is over."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.partner_alliances.products import agreed
from aggregates.snapshot import SnapshotPolicy
from schemas.envelope import Issued
from schemas.errors import AlreadyExists, Refused
from schemas.message import Event
from schemas.partner_alliances.contracts import (
    ActivateContract,
    ChangeContract,
    ContractActivated,
    ContractChanged,
    ContractCreated,
    ContractCreationFailed,
    ContractDeactivated,
    ContractExpired,
    ContractRevision,
    ContractRevisionDecided,
    CreateContract,
    DeactivateContract,
    DecideContractRevision,
    ExpireContract,
    FailContractCreation,
    RequestContractRevision,
)

Status = Literal["none", "created", "active", "inactive", "in_revision", "rejected", "expired"]


class ContractState(BaseModel):
    """What a snapshot of a contract keeps."""

    partner_id: UUID | None
    temporary_id: UUID | None
    product: str
    terms: dict[str, Any]
    starts_on: date | None
    ends_on: date | None
    status: Status


class Contract(Aggregate):
    """A contract with a partner."""

    category = "contract"
    snapshots = SnapshotPolicy(ContractState, every=50)  # terms may change for years

    def __init__(self) -> None:
        self.partner_id: UUID | None = None
        self.temporary_id: UUID | None = None
        self.product = ""
        self.terms: dict[str, Any] = {}
        self.starts_on: date | None = None
        self.ends_on: date | None = None
        self.status: Status = "none"

    def evolve(self, event: Event) -> None:
        match event:
            case ContractCreated():
                self.partner_id, self.temporary_id, self.product = event.partner_id, event.temporary_id, event.product
                self.terms, self.starts_on, self.ends_on = event.terms, event.starts_on, event.ends_on
                self.status = "created"
            case ContractChanged():
                self.terms, self.ends_on = event.terms, event.ends_on
            case ContractActivated():
                self.status = "active"
            case ContractDeactivated():
                self.status = "inactive"
            case ContractRevision():
                self.status = "in_revision"
            case ContractRevisionDecided():
                self.status = "created" if event.approved else "rejected"
            case ContractExpired():
                self.status = "expired"

    @property
    def whose(self) -> dict[str, UUID | None]:
        """What every event of the contract tells of it; raises `Refused` where there is none."""
        if self.status == "none":
            raise Refused(f"there is no contract {self.key}")
        return {"contract_id": UUID(self.key), "partner_id": self.partner_id, "temporary_id": self.temporary_id}


class FailedContract(Aggregate):
    """A contract that did not come to be, by the request that it was for."""

    category = "failedcontract"

    def evolve(self, event: Event) -> None:
        """Being there is all its state."""


def create_contract(issued: Issued[CreateContract], contract: Contract) -> None:
    """Makes a contract on terms that are complete."""
    command = issued.command
    if not contract.is_new:
        raise AlreadyExists(f"the contract {contract.key} was created before")
    if command.ends_on is not None and command.ends_on < max(command.starts_on, issued.at.date()):
        raise Refused("the last day is over before the contract begins")
    contract.record(
        ContractCreated(
            contract_id=UUID(contract.key),
            partner_id=command.partner_id,
            temporary_id=command.temporary_id,
            product=command.product,
            terms=agreed(command.product, command.terms),
            starts_on=command.starts_on,
            ends_on=command.ends_on,
        )
    )


def fail_contract_creation(issued: Issued[FailContractCreation], failed: FailedContract) -> None:
    """Notes that no contract came to be."""
    if failed.is_new:
        failed.record(ContractCreationFailed(**issued.command.model_dump()))


def change_contract(issued: Issued[ChangeContract], contract: Contract) -> None:
    """Changes terms or last day of a contract that is neither rejected nor over."""
    command, whose = issued.command, contract.whose
    if contract.status in ("rejected", "expired"):
        raise Refused(f"the contract {contract.key} is {contract.status}")
    if command.ends_on is not None and command.ends_on < issued.at.date():
        raise Refused("the last day is over")
    terms = contract.terms if command.terms is None else agreed(contract.product, {**contract.terms, **command.terms})
    ends_on = command.ends_on or contract.ends_on
    if (terms, ends_on) != (contract.terms, contract.ends_on):
        contract.record(ContractChanged(**whose, terms=terms, ends_on=ends_on))


def activate_contract(_: Issued[ActivateContract], contract: Contract) -> None:
    """Lets a contract hold that is approved or was suspended."""
    whose = contract.whose
    if contract.status in ("in_revision", "rejected", "expired"):
        raise Refused(f"the contract {contract.key} is {contract.status.replace('_', ' ')}")
    if contract.status != "active":
        contract.record(ContractActivated(**whose, ends_on=contract.ends_on))


def deactivate_contract(issued: Issued[DeactivateContract], contract: Contract) -> None:
    """Suspends a contract, or takes it back before it ever held."""
    whose = contract.whose
    if contract.status in ("created", "active", "in_revision"):
        contract.record(ContractDeactivated(**whose, reason=issued.command.reason))


def request_revision(issued: Issued[RequestContractRevision], contract: Contract) -> None:
    """Puts a contract under revision that does not hold yet."""
    whose = contract.whose
    if contract.status != "created":
        raise Refused(f"the contract {contract.key} is {contract.status.replace('_', ' ')}")
    contract.record(ContractRevision(**whose, reason=issued.command.reason))


def decide_revision(issued: Issued[DecideContractRevision], contract: Contract) -> None:
    """Records what somebody decided."""
    command, whose = issued.command, contract.whose
    if contract.status != "in_revision":
        raise Refused(f"the contract {contract.key} is not under revision")
    contract.record(ContractRevisionDecided(**whose, approved=command.approved, reason=command.reason, decided_by=issued.actor))


def expire_contract(issued: Issued[ExpireContract], contract: Contract) -> None:
    """Ends a contract whose last day is over; lets it be where that day has been moved."""
    whose = contract.whose
    if contract.ends_on is None or issued.at.date() <= contract.ends_on:
        raise Refused(f"the contract {contract.key} has days to come")
    if contract.status in ("active", "inactive", "created"):
        contract.record(ContractExpired(**whose))


def _one(issued: Issued[Any]) -> tuple[Ref, ...]:
    return (Ref(Contract, str(issued.command.contract_id)),)


AGGREGATES = (Contract, FailedContract)
DECISIONS = (
    Decision(
        CreateContract,
        lambda issued: (Ref(Contract, str(issued.command.contract_id or issued.id)),),
        create_contract,
        creates=True,
    ),
    Decision(
        FailContractCreation,
        lambda issued: (Ref(FailedContract, str(issued.command.temporary_id)),),
        fail_contract_creation,
        creates=True,
    ),
    Decision(ChangeContract, _one, change_contract),
    Decision(ActivateContract, _one, activate_contract),
    Decision(DeactivateContract, _one, deactivate_contract),
    Decision(RequestContractRevision, _one, request_revision),
    Decision(DecideContractRevision, _one, decide_revision),
    Decision(ExpireContract, _one, expire_contract),
)
