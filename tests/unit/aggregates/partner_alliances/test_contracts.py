"""Contracts: what is agreed, for how long, and who may change it."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from aggregates.partner_alliances import contracts
from aggregates.scenario import MIDNIGHT, Scenario, reaction_of
from aggregates.state import state_schema_of
from schemas.message import Command, Event
from schemas.partner_alliances.contracts import (
    ActivateContract,
    ChangeContract,
    ContractActivated,
    ContractChanged,
    ContractCreated,
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
    RequestContractRevision,
    ResumeContract,
    SuspendContract,
)
from schemas.partner_alliances.integrations import PartnerWithdrawn
from schemas.partner_alliances.partners import PartnerDeleted
from tests.unit.aggregates.partner_alliances.agreed import (
    BY_HAND,
    CONTRACT,
    PARTNER,
    REQUEST,
    TERMS,
    TODAY,
    WHOSE,
    scenario,
)

BOUND = CounterpartyBound(partner_id=PARTNER, contract_id=CONTRACT)
OTHER, THIRD = UUID("01940000-0000-7000-8000-0000000000c2"), UUID("01940000-0000-7000-8000-0000000000c3")


def created(ends_on: date | None = None) -> Scenario:
    return scenario().given(
        f"contract-{CONTRACT}",
        ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=ends_on),
    )


def test_a_contract_has_the_terms_that_its_product_asks_for() -> None:
    create = CreateRequestedContract(**WHOSE, product="AFFILIATION", terms={}, starts_on=TODAY, ends_on=None)
    scenario().when(create).then(
        ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=None), BOUND
    )
    scenario().when(create.model_copy(update={"terms": {"commission_percent": 101}})).then_rejected(
        containing="commission_percent"
    )
    scenario().when(create.model_copy(update={"product": "LOTTERY"})).then_rejected(containing="no product LOTTERY")


def test_terms_are_changed_one_by_one() -> None:
    case = created().when(ChangeContract(contract_id=CONTRACT, terms={"cookie_days": 10}))
    case.then(ContractChanged(**WHOSE, terms={**TERMS, "cookie_days": 10}, ends_on=None))
    case.when(ChangeContract(contract_id=CONTRACT, terms={"cookie_days": 10})).then()


def test_a_contract_is_suspended_and_holds_again() -> None:
    case = created().when(ActivateContract(contract_id=CONTRACT))
    case.then(ContractActivated(**WHOSE, ends_on=None))
    case.when(SuspendContract(contract_id=CONTRACT, reason="unpaid"))
    case.then(ContractSuspended(**WHOSE, reason="unpaid"))
    case.when(SuspendContract(contract_id=CONTRACT, reason="again")).then()
    case.when(ResumeContract(contract_id=CONTRACT)).then(ContractResumed(**WHOSE))
    case.when(ResumeContract(contract_id=CONTRACT)).then()


@pytest.mark.parametrize("client", [SuspendContract(contract_id=CONTRACT), ResumeContract(contract_id=CONTRACT)])
def test_compliance_cannot_be_avoided(client: Command) -> None:
    created().when(client).then_rejected(containing="is created")
    revision = created().when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
    revision.when(client).then_rejected(containing="is in revision")
    revision.when(DeactivateContract(contract_id=CONTRACT, reason="why"))
    revision.then(ContractDeactivated(**WHOSE, reason="why"))
    revision.when(client).then_rejected(containing="is inactive")
    revision.when(ActivateContract(contract_id=CONTRACT)).then_rejected(containing="is inactive")


def test_a_contract_made_by_hand_holds_once_somebody_has_approved_it() -> None:
    case = scenario().when(CreateContract(partner_id=PARTNER, starts_on=TODAY), id=CONTRACT)
    assert [event.message_name for event in case.recorded] == ["ContractCreated", "ContractRevision", "CounterpartyBound"]
    case.when(DecideContractRevision(contract_id=CONTRACT, approved=True), actor="ana").then(
        ContractRevisionDecided(**BY_HAND, approved=True, reason="", decided_by="ana"),
        ContractActivated(**BY_HAND, ends_on=None),
    )


def test_what_is_over_does_not_begin_to_hold() -> None:
    later = MIDNIGHT + timedelta(days=1)
    case = created(TODAY)
    case.when(ActivateContract(contract_id=CONTRACT), at=later).then_rejected(containing="move it first")
    case.when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
    case.when(ExpireContract(contract_id=CONTRACT), at=later).then()
    approve = DecideContractRevision(contract_id=CONTRACT, approved=True)
    case.when(approve, at=later).then_rejected(containing="move it first")
    case.when(ChangeContract(contract_id=CONTRACT, ends_on=TODAY + timedelta(days=9)), at=later)
    case.when(approve, at=later)
    assert [event.message_name for event in case.recorded] == ["ContractRevisionDecided"]


def test_a_contract_does_not_end_before_it_begins() -> None:
    case = scenario().given(
        f"contract-{CONTRACT}",
        ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY + timedelta(days=9), ends_on=None),
    )
    change = ChangeContract(contract_id=CONTRACT, ends_on=TODAY + timedelta(days=8))
    case.when(change).then_rejected(containing="before the contract begins")


def test_a_snapshot_holds_all_of_it() -> None:
    created = ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=TODAY)
    contract = contracts.CONTRACT.fold(contracts.Contract(), [created, ContractSuspended(**WHOSE, reason="why")])
    assert contracts.Contract.from_snapshot(state_schema_of(contracts.Contract), contract.model_dump_json()) == contract
    assert contract.status == "suspended"


def test_somebody_decides_on_a_contract_under_revision() -> None:
    case = created().when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
    case.then(ContractRevision(**WHOSE, reason="why"))
    case.when(ActivateContract(contract_id=CONTRACT)).then_rejected(containing="in revision")
    case.when(DecideContractRevision(contract_id=CONTRACT, approved=False, reason="no"), actor="ana")
    case.then(ContractRevisionDecided(**WHOSE, approved=False, reason="no", decided_by="ana"))
    case.when(DecideContractRevision(contract_id=CONTRACT, approved=True)).then_rejected(containing="not under")


def test_a_contract_expires_after_its_last_day_and_not_before() -> None:
    case = created(TODAY)
    case.when(ExpireContract(contract_id=CONTRACT)).then_rejected(containing="not over yet")
    case.when(ExpireContract(contract_id=CONTRACT), at=MIDNIGHT + timedelta(days=1))
    case.then(ContractExpired(**WHOSE))


@pytest.mark.parametrize(
    "ended",
    [
        PartnerWithdrawn(partner_id=PARTNER, temporary_id=REQUEST, reason="why"),
        PartnerDeleted(partner_id=PARTNER, temporary_id=REQUEST, tax_id=None, mailbox_id=None),
    ],
)
def test_every_contract_with_a_former_partner_ends_and_no_other_begins(ended: Event) -> None:
    (policy,) = contracts.POLICIES
    (exclude,) = reaction_of(policy, ended)
    assert isinstance(exclude, ExcludeCounterparty)
    requested = CreateRequestedContract(**WHOSE, product="AFFILIATION", terms={}, starts_on=TODAY, ends_on=None)
    by_hand = CreateContract(partner_id=PARTNER, starts_on=TODAY)
    case = scenario().when(requested).when(by_hand, id=OTHER).when(exclude)
    excluded = CounterpartyExcluded(partner_id=PARTNER, contract_ids=(CONTRACT, OTHER), reason=exclude.reason)
    case.then(excluded)

    assert reaction_of(policy, excluded) == (
        DeactivateContract(contract_id=CONTRACT, reason=exclude.reason),
        DeactivateContract(contract_id=OTHER, reason=exclude.reason),
    )
    case.when(exclude).then()
    case.when(by_hand, id=THIRD).then_rejected(containing="is withdrawn or deleted")
    case.when(requested.model_copy(update={"contract_id": THIRD})).then_rejected(containing="is withdrawn or deleted")


def test_what_is_not_there_cannot_be_changed() -> None:
    for command in (ActivateContract, ChangeContract, ExpireContract, SuspendContract, ResumeContract):
        scenario().when(command(contract_id=CONTRACT)).then_rejected(containing="no contract")
