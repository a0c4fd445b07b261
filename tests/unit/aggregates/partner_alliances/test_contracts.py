"""Contracts: what is agreed, for how long, and who may change it."""

from datetime import date, timedelta

import pytest

from aggregates.partner_alliances import contracts
from aggregates.scenario import MIDNIGHT, Scenario
from aggregates.state import state_schema_of
from schemas.message import Command
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
    CreateContract,
    CreateRequestedContract,
    DeactivateContract,
    DecideContractRevision,
    ExpireContract,
    RequestContractRevision,
    ResumeContract,
    SuspendContract,
)
from tests.unit.aggregates.partner_alliances.agreed import (
    BY_HAND,
    CONTRACT,
    PARTNER,
    TERMS,
    TODAY,
    WHOSE,
    scenario,
)


def created(ends_on: date | None = None) -> Scenario:
    return scenario().given(
        f"contract-{CONTRACT}",
        ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=ends_on),
    )


def test_a_contract_has_the_terms_that_its_product_asks_for() -> None:
    create = CreateRequestedContract(**WHOSE, product="AFFILIATION", terms={}, starts_on=TODAY, ends_on=None)
    scenario().when(create).then(ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=None))
    scenario().when(create.model_copy(update={"terms": {"commission_percent": 101}})).then_rejected(
        containing="commission_percent"
    )
    scenario().when(create.model_copy(update={"product": "LOTTERY"})).then_rejected(containing="no product LOTTERY")


def test_terms_are_changed_one_by_one() -> None:
    scenario = created().when(ChangeContract(contract_id=CONTRACT, terms={"cookie_days": 10}))
    scenario.then(ContractChanged(**WHOSE, terms={**TERMS, "cookie_days": 10}, ends_on=None))
    scenario.when(ChangeContract(contract_id=CONTRACT, terms={"cookie_days": 10})).then()


def test_a_contract_is_suspended_and_holds_again() -> None:
    scenario = created().when(ActivateContract(contract_id=CONTRACT))
    scenario.then(ContractActivated(**WHOSE, ends_on=None))
    scenario.when(SuspendContract(contract_id=CONTRACT, reason="unpaid"))
    scenario.then(ContractSuspended(**WHOSE, reason="unpaid"))
    scenario.when(SuspendContract(contract_id=CONTRACT, reason="again")).then()
    scenario.when(ResumeContract(contract_id=CONTRACT)).then(ContractResumed(**WHOSE))
    scenario.when(ResumeContract(contract_id=CONTRACT)).then()


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
    scenario = scenario().when(CreateContract(partner_id=PARTNER, starts_on=TODAY), id=CONTRACT)
    assert [event.message_name for event in scenario.recorded] == ["ContractCreated", "ContractRevision"]
    scenario.when(DecideContractRevision(contract_id=CONTRACT, approved=True), actor="ana").then(
        ContractRevisionDecided(**BY_HAND, approved=True, reason="", decided_by="ana"),
        ContractActivated(**BY_HAND, ends_on=None),
    )


def test_what_is_over_does_not_begin_to_hold() -> None:
    later = MIDNIGHT + timedelta(days=1)
    scenario = created(TODAY)
    scenario.when(ActivateContract(contract_id=CONTRACT), at=later).then_rejected(containing="move it first")
    scenario.when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
    scenario.when(ExpireContract(contract_id=CONTRACT), at=later).then()
    approve = DecideContractRevision(contract_id=CONTRACT, approved=True)
    scenario.when(approve, at=later).then_rejected(containing="move it first")
    scenario.when(ChangeContract(contract_id=CONTRACT, ends_on=TODAY + timedelta(days=9)), at=later)
    scenario.when(approve, at=later)
    assert [event.message_name for event in scenario.recorded] == ["ContractRevisionDecided"]


def test_a_contract_does_not_end_before_it_begins() -> None:
    scenario = scenario().given(
        f"contract-{CONTRACT}",
        ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY + timedelta(days=9), ends_on=None),
    )
    change = ChangeContract(contract_id=CONTRACT, ends_on=TODAY + timedelta(days=8))
    scenario.when(change).then_rejected(containing="before the contract begins")


def test_a_snapshot_holds_all_of_it() -> None:
    created = ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=TODAY)
    contract = contracts.CONTRACT.fold(contracts.Contract(), [created, ContractSuspended(**WHOSE, reason="why")])
    assert contracts.Contract.from_snapshot(state_schema_of(contracts.Contract), contract.model_dump_json()) == contract
    assert contract.status == "suspended"


def test_somebody_decides_on_a_contract_under_revision() -> None:
    scenario = created().when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
    scenario.then(ContractRevision(**WHOSE, reason="why"))
    scenario.when(ActivateContract(contract_id=CONTRACT)).then_rejected(containing="in revision")
    scenario.when(DecideContractRevision(contract_id=CONTRACT, approved=False, reason="no"), actor="ana")
    scenario.then(ContractRevisionDecided(**WHOSE, approved=False, reason="no", decided_by="ana"))
    scenario.when(DecideContractRevision(contract_id=CONTRACT, approved=True)).then_rejected(containing="not under")


def test_a_contract_expires_after_its_last_day_and_not_before() -> None:
    scenario = created(TODAY)
    scenario.when(ExpireContract(contract_id=CONTRACT)).then_rejected(containing="days to come")
    scenario.when(ExpireContract(contract_id=CONTRACT), at=MIDNIGHT + timedelta(days=1))
    scenario.then(ContractExpired(**WHOSE))


def test_what_is_not_there_cannot_be_changed() -> None:
    for command in (ActivateContract, ChangeContract, ExpireContract, SuspendContract, ResumeContract):
        scenario().when(command(contract_id=CONTRACT)).then_rejected(containing="no contract")
