"""Contracts: active once compliance has approved them, changed and suspended by clients, expired after their last day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Events
from aggregates.partner_alliances.products import Agreed, Products
from aggregates.policy import Policy
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import Rejected
from schemas.message import Command, Event
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
    CounterpartyBound,
    CounterpartyExcluded,
    CreateContract,
    CreateRequestedContract,
    DeactivateContract,
    DecideContractRevision,
    ExcludeCounterparty,
    ExpireContract,
    FailContractCreation,
    RequestContractRevision,
    ResumeContract,
    SuspendContract,
)
from schemas.partner_alliances.integrations import PartnerWithdrawn
from schemas.partner_alliances.partners import PartnerDeleted
from schemas.partner_alliances.parts import Amount
from schemas.partner_alliances.rejections import (
    ContractHasAnotherStatus,
    ContractIsNotInRevision,
    EndsTooEarly,
    LastDayIsOver,
    PartnerHasEnded,
)

Status = Literal["none", "created", "active", "suspended", "inactive", "in_revision", "rejected", "expired"]
"""``inactive`` is the status of a permanently deactivated contract."""


class Contract(State, snapshot_every=50):  # each change adds an event
    """A contract with a partner."""

    contract_id: UUID | None = None
    partner_id: UUID | None = None
    temporary_id: UUID | None = None
    product: str = ""
    terms: dict[str, Any] = {}
    amount: Amount | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    status: Status = "none"

    def is_over(self, today: date) -> bool:
        """Returns whether the contract's last day is over."""
        return self.ends_on is not None and today > self.ends_on

    def rejected(self) -> ContractHasAnotherStatus:
        """Returns the rejection of a command that its status does not allow."""
        return ContractHasAnotherStatus(f"the contract {self.contract_id} is {self.status.replace('_', ' ')}")

    @property
    def ids(self) -> dict[str, UUID | None]:
        """Returns the ids that each of the contract's events holds."""
        return {"contract_id": self.contract_id, "partner_id": self.partner_id, "temporary_id": self.temporary_id}


def evolve(contract: Contract, event: Event) -> Contract:
    match event:
        case ContractCreated():
            return Contract(**dict(event), status="created")
        case ContractChanged(terms=terms, amount=amount, ends_on=ends_on):
            return contract.replace(terms=terms, amount=amount, ends_on=ends_on)
        case ContractRevisionDecided(approved=approved):
            return contract.replace(status="created" if approved else "rejected")
    return contract.replace(status=_STATUSES[type(event)])


_STATUSES: Mapping[type[Event], Status] = {
    ContractActivated: "active",
    ContractResumed: "active",
    ContractSuspended: "suspended",
    ContractDeactivated: "inactive",
    ContractRevision: "in_revision",
    ContractExpired: "expired",
}


class Counterparty(State):
    """The contracts' own state of a partner."""

    contract_ids: tuple[UUID, ...] = ()
    excluded: bool = False


def evolve_counterparty(counterparty: Counterparty, event: Event) -> Counterparty:
    if isinstance(event, CounterpartyBound):
        return counterparty.replace(contract_ids=(*counterparty.contract_ids, event.contract_id))
    return counterparty.replace(excluded=True)


CONTRACT = Stream("contract", Contract, evolve)
COUNTERPARTY = Stream("counterparty", Counterparty, evolve_counterparty)
CONTRACTS_COUNTERPARTY = COUNTERPARTY.create_or_change("partner_id")
FAILED_CONTRACT = Stream("failedcontract")


def fail_contract_creation(command: CommandEnvelope[FailContractCreation]) -> Events:
    """Records that no contract was created."""
    yield ContractCreationFailed(**command.data.model_dump())


def suspend_contract(command: CommandEnvelope[SuspendContract], contract: Contract) -> Events:
    """Suspends a contract that is active."""
    if contract.status == "active":
        yield ContractSuspended(**contract.ids, reason=command.data.reason)
    elif contract.status != "suspended":
        raise contract.rejected()


def resume_contract(command: CommandEnvelope[ResumeContract], contract: Contract) -> Events:
    """Activates a suspended contract again, and no other: compliance decides on those that were never active."""
    if contract.status == "suspended":
        _check_not_over(contract, command.at.date())
        yield ContractResumed(**contract.ids)
    elif contract.status != "active":
        raise contract.rejected()


def activate_contract(command: CommandEnvelope[ActivateContract], contract: Contract) -> Events:
    """Activates a contract that compliance has approved."""
    if contract.status == "created":
        _check_not_over(contract, command.at.date())
        yield ContractActivated(**contract.ids, ends_on=contract.ends_on)
    elif contract.status != "active":
        raise contract.rejected()


def deactivate_contract(command: CommandEnvelope[DeactivateContract], contract: Contract) -> Events:
    """Deactivates a contract permanently, whether it was active or not."""
    if contract.status in ("created", "active", "suspended", "in_revision"):
        yield ContractDeactivated(**contract.ids, reason=command.data.reason)


def request_revision(command: CommandEnvelope[RequestContractRevision], contract: Contract) -> Events:
    """Puts a contract that is not active yet under revision."""
    if contract.status != "created":
        raise contract.rejected()
    yield ContractRevision(**contract.ids, reason=command.data.reason)


def decide_revision(command: CommandEnvelope[DecideContractRevision], contract: Contract) -> Events:
    """Records an officer's decision. It activates a contract created by hand; for others the onboarding continues."""
    data = command.data
    if contract.status != "in_revision":
        raise ContractIsNotInRevision(f"the contract {contract.contract_id} is not under revision")
    if data.approved:
        _check_not_over(contract, command.at.date())
    yield ContractRevisionDecided(**contract.ids, approved=data.approved, reason=data.reason, decided_by=command.actor)
    if data.approved and contract.temporary_id is None:
        yield ContractActivated(**contract.ids, ends_on=contract.ends_on)


def expire_contract(command: CommandEnvelope[ExpireContract], contract: Contract) -> Events:
    """Ends a contract whose last day is over; one under revision is left to the officer, who may move that day."""
    if not contract.is_over(command.at.date()):
        raise Rejected(f"the last day of the contract {contract.contract_id} is not over yet")
    if contract.status in ("created", "active", "suspended"):
        yield ContractExpired(**contract.ids)


def exclude_counterparty(command: CommandEnvelope[ExcludeCounterparty], counterparty: Counterparty) -> Events:
    """Names the contracts that end with a partner, and forbids further ones."""
    data = command.data
    if not counterparty.excluded:
        yield CounterpartyExcluded(partner_id=data.partner_id, contract_ids=counterparty.contract_ids, reason=data.reason)


def exclude_withdrawn(withdrawn: RecordedEvent[PartnerWithdrawn]) -> Iterable[Command]:
    """Ends the contracts with a withdrawn partner."""
    yield ExcludeCounterparty(partner_id=withdrawn.data.partner_id, reason="the partner was withdrawn")


def exclude_deleted(deleted: RecordedEvent[PartnerDeleted]) -> Iterable[Command]:
    """Ends the contracts with a deleted partner."""
    yield ExcludeCounterparty(partner_id=deleted.data.partner_id, reason="the partner was deleted")


def end_contracts(excluded: RecordedEvent[CounterpartyExcluded]) -> Iterable[Command]:
    """Deactivates each contract with an excluded partner."""
    for contract_id in excluded.data.contract_ids:
        yield DeactivateContract(contract_id=contract_id, reason=excluded.data.reason)


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """The decisions that depend on the products that are installed."""

    products: Products

    def create(self, command: CommandEnvelope[CreateContract], counterparty: Counterparty) -> Events:
        """Creates a contract by hand: it is under revision from its beginning, because no rule has approved it."""
        created = self._created(command.data, command.id, command.at.date(), temporary_id=None)
        yield from _bound(counterparty, created)
        yield created
        yield ContractRevision(
            contract_id=created.contract_id,
            partner_id=created.partner_id,
            temporary_id=None,
            reason="it was created by hand: compliance decides on it",
        )

    def create_requested(self, command: CommandEnvelope[CreateRequestedContract], counterparty: Counterparty) -> Events:
        """Creates the contract of a partner's request."""
        data = command.data
        created = self._created(data, data.contract_id, command.at.date(), temporary_id=data.temporary_id)
        yield from _bound(counterparty, created)
        yield created

    def change(self, command: CommandEnvelope[ChangeContract], contract: Contract) -> Events:
        """Changes terms or last day of a contract that has not ended."""
        data = command.data
        if contract.status in ("inactive", "rejected", "expired"):
            raise contract.rejected()
        if data.ends_on is not None:
            _check_term(contract.starts_on, data.ends_on, command.at.date())
        agreed = Agreed(contract.terms, contract.amount)
        if data.terms is not None:
            agreed = self.products.agreed(contract.product, {**contract.terms, **data.terms})
        ends_on = data.ends_on or contract.ends_on
        if (agreed.terms, ends_on) != (contract.terms, contract.ends_on):
            yield ContractChanged(**contract.ids, terms=agreed.terms, amount=agreed.amount, ends_on=ends_on)

    def _created(
        self, data: CreateContract | CreateRequestedContract, contract_id: UUID, today: date, *, temporary_id: UUID | None
    ) -> ContractCreated:
        if data.ends_on is not None:
            _check_term(data.starts_on, data.ends_on, today)
        agreed = self.products.agreed(data.product, data.terms)
        return ContractCreated(
            contract_id=contract_id,
            partner_id=data.partner_id,
            temporary_id=temporary_id,
            product=data.product,
            terms=agreed.terms,
            amount=agreed.amount,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
        )


def _bound(counterparty: Counterparty, created: ContractCreated) -> Events:
    """Adds a contract to those with a partner; raises `PartnerHasEnded` if there may be none."""
    if counterparty.excluded:
        raise PartnerHasEnded(f"the partner {created.partner_id} is withdrawn or deleted")
    yield CONTRACTS_COUNTERPARTY.records(CounterpartyBound(partner_id=created.partner_id, contract_id=created.contract_id))


def _check_term(starts_on: date | None, ends_on: date, today: date) -> None:
    if ends_on < max(starts_on or today, today):
        raise EndsTooEarly("the last day is over before the contract begins")


def _check_not_over(contract: Contract, today: date) -> None:
    if contract.is_over(today):
        raise LastDayIsOver(f"the last day of the contract {contract.contract_id} is over: move it first")


def decisions(products: Products) -> Decisions:
    """Returns the decisions on contracts of these products."""
    terms = ContractTerms(products)
    return (
        Decision(CreateContract, CONTRACT.create(), terms.create, writes=(CONTRACTS_COUNTERPARTY,)),
        Decision(
            CreateRequestedContract,
            CONTRACT.create("contract_id"),
            terms.create_requested,
            writes=(CONTRACTS_COUNTERPARTY,),
        ),
        Decision(ChangeContract, CONTRACT.change("contract_id"), terms.change),
        Decision(FailContractCreation, FAILED_CONTRACT.create("temporary_id"), fail_contract_creation),
        Decision(SuspendContract, CONTRACT.change("contract_id"), suspend_contract),
        Decision(ResumeContract, CONTRACT.change("contract_id"), resume_contract),
        Decision(ActivateContract, CONTRACT.change("contract_id"), activate_contract),
        Decision(DeactivateContract, CONTRACT.change("contract_id"), deactivate_contract),
        Decision(RequestContractRevision, CONTRACT.change("contract_id"), request_revision),
        Decision(DecideContractRevision, CONTRACT.change("contract_id"), decide_revision),
        Decision(ExpireContract, CONTRACT.change("contract_id"), expire_contract),
        Decision(ExcludeCounterparty, CONTRACTS_COUNTERPARTY, exclude_counterparty),
    )


POLICIES = (
    Policy(
        "end-contracts-of-former-partners",
        {PartnerWithdrawn: exclude_withdrawn, PartnerDeleted: exclude_deleted, CounterpartyExcluded: end_contracts},
    ),
)
