"""Onboarding: leads a partner's request to an active partner with a contract, to somebody's decision, or back to nothing."""

from datetime import date
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel

from aggregates.partner_alliances.spanish import SPANISH
from aggregates.sagas.definition import Ids, Next, On, SagaDefinition, Send
from schemas.engine.sagas import Answer, Cause
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
from schemas.partner_alliances.parts import BankAccount, Profile

_IDS = UUID("5b0c9f57-1a5e-5d0c-8d57-6f4a0c1f8f11")
_LONGEST_NOTE = 2000


class Onboarding(BaseModel):
    """What is known of one request."""

    temporary_id: UUID | None = None
    partner_id: UUID | None = None
    contract_id: UUID | None = None
    profile: Profile | None = None
    account: BankAccount | None = None
    product: str = ""
    terms: dict[str, Any] = {}
    starts_on: date | None = None
    ends_on: date | None = None


def requested(_: Onboarding, event: PartnerRequested, cause: Cause) -> Next[Onboarding]:
    """Ids are made of the request's, so that however often this is repeated they stay the same."""
    known = Onboarding(
        temporary_id=event.temporary_id,
        partner_id=uuid5(_IDS, f"partner/{event.temporary_id}"),
        contract_id=uuid5(_IDS, f"contract/{event.temporary_id}"),
        profile=event.profile,
        account=event.account,
        product=event.product,
        terms=event.terms,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
    )
    create = CreatePartner(
        partner_id=known.partner_id, temporary_id=event.temporary_id, profile=event.profile, email=event.email
    )
    undo = WithdrawPartner(
        partner_id=known.partner_id, tax_id=event.profile.tax_id, reason="its onboarding did not come to a good end"
    )
    return Next(known, send=[Send(create, undo)])


def no_partner(known: Onboarding, answer: Answer, cause: Cause) -> Next[Onboarding]:
    failed = FailPartnerCreation(temporary_id=known.temporary_id, error_message=_shortened(answer.rejection))
    return Next(known, send=[Send(failed)], reason=answer.rejection)


def partner_failed(known: Onboarding, event: PartnerCreationFailed, cause: Cause) -> Next[Onboarding]:
    return Next(known, status="failed", reason=event.error_message)


def partner_created(known: Onboarding, event: PartnerCreated, cause: Cause) -> Next[Onboarding]:
    create = CreateRequestedContract(
        contract_id=known.contract_id,
        partner_id=event.partner_id,
        temporary_id=known.temporary_id,
        product=known.product,
        terms=known.terms,
        starts_on=known.starts_on,
        ends_on=known.ends_on,
    )
    undo = DeactivateContract(contract_id=known.contract_id, reason="the onboarding did not come to a good end")
    return Next(known, send=[Send(create, undo)])


def no_contract(known: Onboarding, answer: Answer, cause: Cause) -> Next[Onboarding]:
    failed = FailContractCreation(
        partner_id=known.partner_id, temporary_id=known.temporary_id, error_message=_shortened(answer.rejection)
    )
    return Next(known, send=[Send(failed)], reason=answer.rejection)


def contract_failed(known: Onboarding, event: ContractCreationFailed, cause: Cause) -> Next[Onboarding]:
    return Next(known, status="failed", reason=event.error_message)


def contract_created(known: Onboarding, event: ContractCreated, cause: Cause) -> Next[Onboarding]:
    assess = AssessContract(
        contract_id=event.contract_id,
        partner_id=event.partner_id,
        temporary_id=known.temporary_id,
        profile=known.profile,
        account=known.account,
    )
    return Next(known, send=[Send(assess)])


def approved(known: Onboarding, event: ContractApproved, cause: Cause) -> Next[Onboarding]:
    return Next(known, send=[Send(ActivateContract(contract_id=known.contract_id))])


def rejected(known: Onboarding, event: ContractRejected, cause: Cause) -> Next[Onboarding]:
    revision = RequestContractRevision(contract_id=event.contract_id, reason=_shortened(event.cause))
    return Next(known, send=[Send(revision)], reason=event.cause)


def under_revision(known: Onboarding, event: ContractRevision, cause: Cause) -> Next[Onboarding]:
    return Next(known, status="in_review", reason=event.reason)


def decided(known: Onboarding, event: ContractRevisionDecided, cause: Cause) -> Next[Onboarding]:
    if event.approved:
        return Next(known, send=[Send(ActivateContract(contract_id=known.contract_id))])
    return Next(known, status="failed", reason=event.reason or "the contract was rejected")


def contract_activated(known: Onboarding, event: ContractActivated, cause: Cause) -> Next[Onboarding]:
    """The contract holds before the partner is active."""
    return Next(known, send=[Send(ActivatePartner(partner_id=known.partner_id))])


def activated(known: Onboarding, event: PartnerActivated, cause: Cause) -> Next[Onboarding]:
    return Next(known, status="completed")


def _shortened(text: str | None) -> str:
    return (text or "")[:_LONGEST_NOTE]


def _request(event: Any) -> str | None:
    """The request that an event belongs to; contracts that somebody makes by hand belong to none."""
    return None if event.temporary_id is None else str(event.temporary_id)


ONBOARDING = SagaDefinition(
    "onboarding",
    Onboarding,
    {
        PartnerRequested: On(_request, requested, begins=True),
        PartnerCreated: On(_request, partner_created),
        PartnerCreationFailed: On(_request, partner_failed),
        ContractCreated: On(_request, contract_created),
        ContractCreationFailed: On(_request, contract_failed),
        ContractApproved: On(_request, approved),
        ContractRejected: On(_request, rejected),
        ContractRevision: On(_request, under_revision),
        ContractRevisionDecided: On(_request, decided),
        ContractActivated: On(_request, contract_activated),
        PartnerActivated: On(_request, activated),
    },
    rules={
        PartnerRequested: (PartnerCreated, PartnerCreationFailed),
        PartnerCreated: (ContractCreated, ContractCreationFailed),
        PartnerCreationFailed: (),
        ContractCreated: (ContractApproved, ContractRejected),
        ContractCreationFailed: (),
        ContractApproved: (ContractActivated,),
        ContractRejected: (ContractRevision,),
        ContractRevision: (ContractRevisionDecided,),
        ContractRevisionDecided: (ContractActivated,),
        ContractActivated: (PartnerActivated,),
        PartnerActivated: (),
    },
    sends=(
        CreatePartner,
        WithdrawPartner,
        FailPartnerCreation,
        CreateRequestedContract,
        DeactivateContract,
        FailContractCreation,
        AssessContract,
        RequestContractRevision,
        ActivateContract,
        ActivatePartner,
    ),
    on_rejected={CreatePartner: no_partner, CreateRequestedContract: no_contract},
    ids=lambda known: Ids(
        temporary=None if known.temporary_id is None else str(known.temporary_id),
        real=None if known.partner_id is None else str(known.partner_id),
    ),
    words=SPANISH,
)
