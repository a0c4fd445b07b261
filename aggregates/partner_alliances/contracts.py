"""Contracts: they hold once compliance has approved them, may be changed and suspended, and expire after their last day."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.partner_alliances.products import agreed
from aggregates.snapshot import SnapshotPolicy
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists, Rejected
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
    ContractResumed,
    ContractRevision,
    ContractRevisionDecided,
    ContractSuspended,
    CreateContract,
    CreateRequestedContract,
    DeactivateContract,
    DecideContractRevision,
    ExpireContract,
    FailContractCreation,
    RequestContractRevision,
    ResumeContract,
    SuspendContract,
)

Status = Literal["none", "created", "active", "suspended", "inactive", "in_revision", "rejected", "expired"]
"""``inactive`` is one that was taken back for good."""


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
            case ContractResumed():
                self.status = "active"
            case ContractSuspended():
                self.status = "suspended"
            case ContractDeactivated():
                self.status = "inactive"
            case ContractRevision():
                self.status = "in_revision"
            case ContractRevisionDecided():
                self.status = "created" if event.approved else "rejected"
            case ContractExpired():
                self.status = "expired"

    def is_over(self, today: date) -> bool:
        """Whether its last day has gone by."""
        return self.ends_on is not None and today > self.ends_on

    def rejected(self) -> Rejected:
        """That it does not allow this as it stands."""
        return Rejected(f"the contract {self.key} is {self.status.replace('_', ' ')}")

    @property
    def whose(self) -> dict[str, UUID | None]:
        """What every event of the contract tells of it; raises `Rejected` where there is none."""
        if self.status == "none":
            raise Rejected(f"there is no contract {self.key}")
        return {"contract_id": UUID(self.key), "partner_id": self.partner_id, "temporary_id": self.temporary_id}


class FailedContract(Aggregate):
    """A contract that did not come to be, by the request that it was for."""

    category = "failedcontract"

    def evolve(self, event: Event) -> None:
        """Being there is all its state."""


def create_contract(issued: CommandEnvelope[CreateContract], contract: Contract) -> None:
    """Makes a contract by hand: it is under revision from its beginning, for nothing but a person has looked at it."""
    _create(contract, issued.data, issued.at.date(), temporary_id=None)
    contract.record(ContractRevision(**contract.whose, reason="it was made by hand: compliance decides on it"))


def create_requested_contract(issued: CommandEnvelope[CreateRequestedContract], contract: Contract) -> None:
    """Makes the contract of a partner's request."""
    _create(contract, issued.data, issued.at.date(), temporary_id=issued.data.temporary_id)


def fail_contract_creation(issued: CommandEnvelope[FailContractCreation], failed: FailedContract) -> None:
    """Notes that no contract came to be."""
    if failed.is_new:
        failed.record(ContractCreationFailed(**issued.data.model_dump()))


def change_contract(issued: CommandEnvelope[ChangeContract], contract: Contract) -> None:
    """Changes terms or last day of a contract that may hold, or hold again."""
    command, whose = issued.data, contract.whose
    if contract.status in ("inactive", "rejected", "expired"):
        raise contract.rejected()
    if command.ends_on is not None:
        _check_term(contract.starts_on, command.ends_on, issued.at.date())
    terms = contract.terms if command.terms is None else agreed(contract.product, {**contract.terms, **command.terms})
    ends_on = command.ends_on or contract.ends_on
    if (terms, ends_on) != (contract.terms, contract.ends_on):
        contract.record(ContractChanged(**whose, terms=terms, ends_on=ends_on))


def suspend_contract(issued: CommandEnvelope[SuspendContract], contract: Contract) -> None:
    """Suspends a contract that holds."""
    whose = contract.whose
    if contract.status == "active":
        contract.record(ContractSuspended(**whose, reason=issued.data.reason))
    elif contract.status != "suspended":
        raise contract.rejected()


def resume_contract(issued: CommandEnvelope[ResumeContract], contract: Contract) -> None:
    """Lets a suspended contract hold again, and no other: what never held is compliance's to decide."""
    whose = contract.whose
    if contract.status == "suspended":
        _check_not_over(contract, issued.at.date())
        contract.record(ContractResumed(**whose))
    elif contract.status != "active":
        raise contract.rejected()


def activate_contract(issued: CommandEnvelope[ActivateContract], contract: Contract) -> None:
    """Lets a contract hold that compliance has approved."""
    whose = contract.whose
    if contract.status == "created":
        _check_not_over(contract, issued.at.date())
        contract.record(ContractActivated(**whose, ends_on=contract.ends_on))
    elif contract.status != "active":
        raise contract.rejected()


def deactivate_contract(issued: CommandEnvelope[DeactivateContract], contract: Contract) -> None:
    """Takes a contract back, whether it held or not."""
    whose = contract.whose
    if contract.status in ("created", "active", "suspended", "in_revision"):
        contract.record(ContractDeactivated(**whose, reason=issued.data.reason))


def request_revision(issued: CommandEnvelope[RequestContractRevision], contract: Contract) -> None:
    """Puts a contract under revision that does not hold yet."""
    whose = contract.whose
    if contract.status != "created":
        raise contract.rejected()
    contract.record(ContractRevision(**whose, reason=issued.data.reason))


def decide_revision(issued: CommandEnvelope[DecideContractRevision], contract: Contract) -> None:
    """Records what somebody decided. A contract made by hand holds by that; of others their process is told."""
    command, whose = issued.data, contract.whose
    if contract.status != "in_revision":
        raise Rejected(f"the contract {contract.key} is not under revision")
    if command.approved:
        _check_not_over(contract, issued.at.date())
    contract.record(ContractRevisionDecided(**whose, approved=command.approved, reason=command.reason, decided_by=issued.actor))
    if command.approved and contract.temporary_id is None:
        contract.record(ContractActivated(**whose, ends_on=contract.ends_on))


def expire_contract(issued: CommandEnvelope[ExpireContract], contract: Contract) -> None:
    """Ends a contract whose last day is over; one under revision is left to whoever decides, who may move that day."""
    whose = contract.whose
    if not contract.is_over(issued.at.date()):
        raise Rejected(f"the contract {contract.key} has days to come")
    if contract.status in ("created", "active", "suspended"):
        contract.record(ContractExpired(**whose))


def _create(
    contract: Contract, asked: CreateContract | CreateRequestedContract, today: date, *, temporary_id: UUID | None
) -> None:
    if not contract.is_new:
        raise AlreadyExists(f"the contract {contract.key} was created before")
    if asked.ends_on is not None:
        _check_term(asked.starts_on, asked.ends_on, today)
    contract.record(
        ContractCreated(
            contract_id=UUID(contract.key),
            partner_id=asked.partner_id,
            temporary_id=temporary_id,
            product=asked.product,
            terms=agreed(asked.product, asked.terms),
            starts_on=asked.starts_on,
            ends_on=asked.ends_on,
        )
    )


def _check_term(starts_on: date | None, ends_on: date, today: date) -> None:
    if ends_on < max(starts_on or today, today):
        raise Rejected("the last day is over before the contract begins")


def _check_not_over(contract: Contract, today: date) -> None:
    if contract.is_over(today):
        raise Rejected(f"the last day of the contract {contract.key} is over: move it first")


def _one(issued: CommandEnvelope[Any]) -> tuple[Ref, ...]:
    return (Ref(Contract, str(issued.data.contract_id)),)


AGGREGATES = (Contract, FailedContract)
DECISIONS = (
    Decision(CreateContract, lambda issued: (Ref(Contract, str(issued.id)),), create_contract, creates=True),
    Decision(CreateRequestedContract, _one, create_requested_contract, creates=True),
    Decision(
        FailContractCreation,
        lambda issued: (Ref(FailedContract, str(issued.data.temporary_id)),),
        fail_contract_creation,
        creates=True,
    ),
    Decision(ChangeContract, _one, change_contract),
    Decision(SuspendContract, _one, suspend_contract),
    Decision(ResumeContract, _one, resume_contract),
    Decision(ActivateContract, _one, activate_contract),
    Decision(DeactivateContract, _one, deactivate_contract),
    Decision(RequestContractRevision, _one, request_revision),
    Decision(DecideContractRevision, _one, decide_revision),
    Decision(ExpireContract, _one, expire_contract),
)
