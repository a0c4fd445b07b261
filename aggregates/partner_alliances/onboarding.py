"""Onboarding: a saga from a partner's request to an active partner with a contract, or to its compensation."""

from datetime import date
from typing import Any
from uuid import UUID

from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.state import State
from schemas.engine.sagas import CommandOutcome, SagaInput
from schemas.partner_alliances.compliance import AssessContract, ContractApproved, ContractRejected
from schemas.partner_alliances.contracts import (
    ActivateContract,
    ContractActivated,
    ContractCreated,
    ContractCreationFailed,
    ContractRevision,
    ContractRevisionDecided,
    CreateRequestedContract,
    DeactivateContract,
    FailContractCreation,
    RequestContractRevision,
)
from schemas.partner_alliances.integrations import (
    ActivatePartner,
    CreatePartner,
    FailPartnerCreation,
    PartnerActivated,
    PartnerCreated,
    PartnerCreationFailed,
    PartnerRequested,
    WithdrawPartner,
)
from schemas.partner_alliances.partners import PartnerDeleted
from schemas.partner_alliances.parts import BankAccount, Profile, contract_id_of, partner_id_of

_LONGEST_NOTE = 2000


class Onboarding(State):
    """One request and its partner and contract."""

    temporary_id: UUID | None = None
    partner_id: UUID | None = None
    contract_id: UUID | None = None
    profile: Profile | None = None
    account: BankAccount | None = None
    product: str = ""
    terms: dict[str, Any] = {}
    starts_on: date | None = None
    ends_on: date | None = None


def requested(_: Onboarding, event: PartnerRequested, input: SagaInput) -> Transition[Onboarding]:
    """Derives the partner's and the contract's ids from the request's, so that a repeat has the same ones."""
    state = Onboarding(
        temporary_id=event.temporary_id,
        partner_id=partner_id_of(event.temporary_id),
        contract_id=contract_id_of(event.temporary_id),
        profile=event.profile,
        account=event.account,
        product=event.product,
        terms=event.terms,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
    )
    create = CreatePartner(
        partner_id=state.partner_id,
        temporary_id=event.temporary_id,
        profile=event.profile,
        email=event.email,
        mailbox_id=event.mailbox_id,
    )
    compensation = WithdrawPartner(partner_id=state.partner_id, tax_id=event.profile.tax_id, reason="its onboarding failed")
    return Transition(state, send=[Send(create, compensation)])


def no_partner(state: Onboarding, outcome: CommandOutcome, input: SagaInput) -> Transition[Onboarding]:
    failed = FailPartnerCreation(temporary_id=state.temporary_id, error_message=_shortened(outcome.rejection))
    return Transition(state, send=[Send(failed)], reason=outcome.rejection)


def partner_failed(state: Onboarding, event: PartnerCreationFailed, input: SagaInput) -> Transition[Onboarding]:
    return Transition(state, status="failed", reason=event.error_message)


def partner_created(state: Onboarding, event: PartnerCreated, input: SagaInput) -> Transition[Onboarding]:
    create = CreateRequestedContract(
        contract_id=state.contract_id,
        partner_id=event.partner_id,
        temporary_id=state.temporary_id,
        product=state.product,
        terms=state.terms,
        starts_on=state.starts_on,
        ends_on=state.ends_on,
    )
    compensation = DeactivateContract(contract_id=state.contract_id, reason="the onboarding failed")
    return Transition(state, send=[Send(create, compensation)])


def no_contract(state: Onboarding, outcome: CommandOutcome, input: SagaInput) -> Transition[Onboarding]:
    failed = FailContractCreation(
        partner_id=state.partner_id, temporary_id=state.temporary_id, error_message=_shortened(outcome.rejection)
    )
    return Transition(state, send=[Send(failed)], reason=outcome.rejection)


def contract_failed(state: Onboarding, event: ContractCreationFailed, input: SagaInput) -> Transition[Onboarding]:
    return Transition(state, status="failed", reason=event.error_message)


def contract_created(state: Onboarding, event: ContractCreated, input: SagaInput) -> Transition[Onboarding]:
    assess = AssessContract(
        contract_id=event.contract_id,
        partner_id=event.partner_id,
        temporary_id=state.temporary_id,
        profile=state.profile,
        account=state.account,
        product=event.product,
        amount=event.amount,
    )
    return Transition(state, send=[Send(assess)])


def approved(state: Onboarding, event: ContractApproved, input: SagaInput) -> Transition[Onboarding]:
    return Transition(state, send=[Send(ActivateContract(contract_id=state.contract_id))])


def rejected(state: Onboarding, event: ContractRejected, input: SagaInput) -> Transition[Onboarding]:
    revision = RequestContractRevision(contract_id=event.contract_id, reason=_shortened(event.cause))
    return Transition(state, send=[Send(revision)], reason=event.cause)


def under_revision(state: Onboarding, event: ContractRevision, input: SagaInput) -> Transition[Onboarding]:
    return Transition(state, status="in_review", reason=event.reason)


def decided(state: Onboarding, event: ContractRevisionDecided, input: SagaInput) -> Transition[Onboarding]:
    if event.approved:
        return Transition(state, send=[Send(ActivateContract(contract_id=state.contract_id))])
    return Transition(state, status="failed", reason=event.reason or "the contract was rejected")


def contract_activated(state: Onboarding, event: ContractActivated, input: SagaInput) -> Transition[Onboarding]:
    """Activates the contract before the partner."""
    return Transition(state, send=[Send(ActivatePartner(partner_id=state.partner_id))])


def activated(state: Onboarding, event: PartnerActivated, input: SagaInput) -> Transition[Onboarding]:
    return Transition(state, status="completed")


def deleted(state: Onboarding, event: PartnerDeleted, input: SagaInput) -> Transition[Onboarding]:
    return Transition(state, status="failed", reason="the partner was deleted")


def _shortened(text: str | None) -> str:
    return (text or "")[:_LONGEST_NOTE]


def _request(event: Any) -> str | None:
    """Returns the request that an event belongs to; contracts that are created by hand belong to none."""
    return None if event.temporary_id is None else str(event.temporary_id)


ONBOARDING = SagaDefinition(
    "onboarding",
    Onboarding,
    {
        PartnerRequested: Reaction(_request, requested, starts=True, then=(PartnerCreated, PartnerCreationFailed)),
        PartnerCreated: Reaction(_request, partner_created, then=(ContractCreated, ContractCreationFailed, PartnerDeleted)),
        PartnerCreationFailed: Reaction(_request, partner_failed, then=()),
        ContractCreated: Reaction(_request, contract_created, then=(ContractApproved, ContractRejected)),
        ContractCreationFailed: Reaction(_request, contract_failed, then=()),
        ContractApproved: Reaction(_request, approved, then=(ContractActivated,)),
        ContractRejected: Reaction(_request, rejected, then=(ContractRevision,)),
        ContractRevision: Reaction(_request, under_revision, then=(ContractRevisionDecided,)),
        ContractRevisionDecided: Reaction(_request, decided, then=(ContractActivated,)),
        ContractActivated: Reaction(_request, contract_activated, then=(PartnerActivated,)),
        PartnerActivated: Reaction(_request, activated, then=()),
        PartnerDeleted: Reaction(_request, deleted, then=()),
    },
    on_rejected={CreatePartner: no_partner, CreateRequestedContract: no_contract},
    references=("temporary_id", "partner_id", "contract_id"),
)
