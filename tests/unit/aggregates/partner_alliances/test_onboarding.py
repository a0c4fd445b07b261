"""Onboarding: every way from a partner's request to its end."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from aggregates.partner_alliances.contract_term import CONTRACT_TERM
from aggregates.partner_alliances.onboarding import ONBOARDING, Onboarding
from aggregates.sagas.scenario import SagaScenario
from aggregates.scenario import MIDNIGHT
from schemas.partner_alliances.compliance import AssessContract, ContractApproved, ContractRejected
from schemas.partner_alliances.contracts import (
    ActivateContract,
    ContractActivated,
    ContractChanged,
    ContractCreated,
    ContractCreationFailed,
    ContractDeactivated,
    ContractExpired,
    ContractRevision,
    ContractRevisionDecided,
    CreateRequestedContract,
    DeactivateContract,
    ExpireContract,
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
from schemas.partner_alliances.parts import BankAccount, Profile, TaxId, partner_id_of

REQUEST = UUID("01940000-0000-7000-8000-00000000000a")
PROFILE = Profile(name="Partner ABC", type="CORPORATE", tax_id=TaxId(country="ES", number="B58378431"))
TODAY = MIDNIGHT.date()
ACCOUNT = BankAccount(iban="encrypted:1:…")
REQUESTED = PartnerRequested(
    temporary_id=REQUEST,
    profile=PROFILE,
    email="encrypted:1:…",
    account=ACCOUNT,
    product="AFFILIATION",
    terms={},
    starts_on=TODAY,
    ends_on=None,
)


class Story(SagaScenario):
    """An onboarding, with its events made from its state."""

    @property
    def state(self) -> Onboarding:
        assert self.saga.state is not None
        return Onboarding.read(self.saga.state_version, self.saga.state)

    @property
    def ids(self) -> dict[str, Any]:
        return {"contract_id": self.state.contract_id, "partner_id": self.state.partner_id, "temporary_id": REQUEST}

    def with_a_partner(self) -> "Story":
        created = PartnerCreated(partner_id=self.state.partner_id, temporary_id=REQUEST, profile=PROFILE)
        return self.accepts().happens(created)

    def with_a_contract(self) -> "Story":
        terms = {"product": "AFFILIATION", "terms": {}, "starts_on": TODAY, "ends_on": None}
        return self.with_a_partner().accepts().happens(ContractCreated(**self.ids, **terms))

    def under_revision(self) -> "Story":
        rejected = ContractRejected(**self.ids, verdicts=[], sanction_list=1, cause="tax_id: missing")
        story = self.with_a_contract().accepts().happens(rejected)
        story.sends(RequestContractRevision(contract_id=self.state.contract_id, reason="tax_id: missing"))
        return story.accepts().happens(ContractRevision(**self.ids, reason="tax_id: missing"))

    def withdrawal(self) -> WithdrawPartner:
        why = "its onboarding failed"
        return WithdrawPartner(partner_id=self.state.partner_id, tax_id=PROFILE.tax_id, reason=why)

    def deactivation(self) -> DeactivateContract:
        return DeactivateContract(contract_id=self.state.contract_id, reason="the onboarding failed")


@pytest.fixture
def story() -> Story:
    return Story(ONBOARDING).happens(REQUESTED)


def test_a_partner_that_compliance_approves_becomes_active(story: Story) -> None:
    state = story.state
    create = CreatePartner(partner_id=state.partner_id, temporary_id=REQUEST, profile=PROFILE, email=REQUESTED.email)
    story.sends(create)
    assert story.steps[0].status == "running"
    asked = {"product": "AFFILIATION", "terms": {}, "starts_on": TODAY, "ends_on": None}
    story.with_a_partner().sends(CreateRequestedContract(**story.ids, **asked))
    story.accepts().happens(ContractCreated(**story.ids, product="AFFILIATION", terms={}, starts_on=TODAY, ends_on=None))
    story.sends(AssessContract(**story.ids, profile=PROFILE, account=ACCOUNT))
    story.accepts().happens(ContractApproved(**story.ids, verdicts=[], sanction_list=1))
    story.sends(ActivateContract(contract_id=state.contract_id))
    story.accepts().happens(ContractActivated(**story.ids, ends_on=None)).sends(ActivatePartner(partner_id=state.partner_id))
    story.accepts().happens(PartnerActivated(partner_id=state.partner_id, temporary_id=REQUEST))
    story.becomes("completed")
    step = story.steps[-1]
    ids = {"temporary_id": REQUEST, "partner_id": state.partner_id, "contract_id": state.contract_id}
    assert step.status == "completed"
    assert step.references == {name: str(id) for name, id in ids.items()}


def test_a_partner_that_cannot_be_created_ends_it(story: Story) -> None:
    story.rejects("the tax number is taken")
    story.sends(FailPartnerCreation(temporary_id=REQUEST, error_message="the tax number is taken"))
    failed = PartnerCreationFailed(temporary_id=REQUEST, error_message="the tax number is taken")
    story.accepts().happens(failed).sends().becomes("failed", because="taken")
    assert story.steps[-1].status == "failed"


def test_a_contract_that_cannot_be_created_has_the_partner_withdrawn(story: Story) -> None:
    story.with_a_partner().rejects("no such product")
    why = {"partner_id": story.state.partner_id, "temporary_id": REQUEST, "error_message": "no such product"}
    story.sends(FailContractCreation(**why)).accepts().happens(ContractCreationFailed(**why))
    story.sends(story.withdrawal()).becomes("compensating", because="no such product")
    story.accepts().becomes("failed")


def test_a_contract_that_compliance_rejects_waits_for_an_officer(story: Story) -> None:
    story.under_revision().becomes("in_review", because="tax_id: missing")
    assert story.steps[-1].status == "in_review"


def test_an_officer_may_approve_it(story: Story) -> None:
    story.under_revision()
    story.happens(ContractRevisionDecided(**story.ids, approved=True, reason="seen", decided_by="ana"))
    story.sends(ActivateContract(contract_id=story.state.contract_id)).becomes("running")


def test_a_contract_that_is_over_before_it_holds_has_everything_taken_back(story: Story) -> None:
    story.with_a_contract().accepts().happens(ContractApproved(**story.ids, verdicts=[], sanction_list=1))
    story.rejects("its last day is over").sends(story.deactivation()).becomes("compensating", because="last day is over")
    story.accepts().sends(story.withdrawal()).accepts().becomes("failed")


def test_an_officer_may_reject_it_permanently(story: Story) -> None:
    story.under_revision()
    story.happens(ContractRevisionDecided(**story.ids, approved=False, reason="fraud", decided_by="ana"))
    story.sends(story.deactivation()).becomes("compensating", because="fraud")
    story.accepts().sends(story.withdrawal())
    story.accepts().becomes("failed", because="fraud")


def test_a_partner_that_was_registered_with_its_request_gets_a_contract() -> None:
    created = PartnerCreated(partner_id=partner_id_of(REQUEST), temporary_id=REQUEST, profile=PROFILE)
    story = Story(ONBOARDING).happens(created).sends().happens(REQUESTED)
    assert [sent.command for step in story.steps for sent in step.sent] == ["create-partner", "create-requested-contract"]
    terms = {"product": "AFFILIATION", "terms": {}, "starts_on": TODAY, "ends_on": None}
    story.accepts().accepts().happens(ContractCreated(**story.ids, **terms))
    story.sends(AssessContract(**story.ids, profile=PROFILE, account=ACCOUNT))


def test_a_partner_that_is_deleted_ends_it(story: Story) -> None:
    deleted = PartnerDeleted(partner_id=story.state.partner_id, temporary_id=REQUEST, tax_id=None, mailbox_id=None)
    story.under_revision().happens(deleted)
    story.sends(story.deactivation()).becomes("compensating", because="was deleted")
    story.accepts().sends(story.withdrawal()).accepts().becomes("failed", because="was deleted")


def test_a_partner_that_is_deleted_later_leaves_it_completed(story: Story) -> None:
    story.with_a_contract().accepts().happens(ContractApproved(**story.ids, verdicts=[], sanction_list=1))
    story.accepts().happens(ContractActivated(**story.ids, ends_on=None))
    story.accepts().happens(PartnerActivated(partner_id=story.state.partner_id, temporary_id=REQUEST)).becomes("completed")
    story.happens(PartnerDeleted(partner_id=story.state.partner_id, temporary_id=REQUEST, tax_id=None, mailbox_id=None))
    assert (story.steps[-1].status, story.steps[-1].problem) == ("completed", None)


def test_an_event_out_of_order_is_reported(story: Story) -> None:
    story.happens(PartnerActivated(partner_id=story.state.partner_id, temporary_id=REQUEST))
    assert [step.step_status for step in story.steps] == ["received"]
    story.waits(timedelta(minutes=1)).has_problem("PartnerActivated arrived")
    assert [step.step_status for step in story.steps] == ["failed"]


def contract(ends_on: date | None) -> ContractCreated:
    return ContractCreated(
        contract_id=REQUEST, partner_id=REQUEST, product="AFFILIATION", terms={}, starts_on=TODAY, ends_on=ends_on
    )


def test_a_contract_expires_when_its_last_day_is_over() -> None:
    story = SagaScenario(CONTRACT_TERM).happens(contract(TODAY + timedelta(days=2)))
    story.waits(timedelta(days=3) - timedelta(seconds=1)).sends()
    story.waits(timedelta(seconds=1)).sends(ExpireContract(contract_id=REQUEST)).accepts()
    story.happens(ContractExpired(contract_id=REQUEST, partner_id=REQUEST)).becomes("completed")


def test_a_last_day_may_be_moved() -> None:
    story = SagaScenario(CONTRACT_TERM).happens(contract(TODAY))
    later = TODAY + timedelta(days=9)
    story.happens(ContractChanged(contract_id=REQUEST, partner_id=REQUEST, terms={}, ends_on=later))
    story.waits(timedelta(days=9)).sends().waits(timedelta(days=1)).sends(ExpireContract(contract_id=REQUEST))


def test_a_clock_that_is_behind_does_not_make_a_contract_last_for_ever() -> None:
    story = SagaScenario(CONTRACT_TERM).happens(contract(TODAY)).waits(timedelta(days=1))
    story.sends(ExpireContract(contract_id=REQUEST)).rejects("its last day is not over yet")
    story.waits(timedelta(minutes=1)).sends(ExpireContract(contract_id=REQUEST))


def test_a_last_day_that_is_moved_while_the_contract_expires_is_waited_for() -> None:
    later = ContractChanged(contract_id=REQUEST, partner_id=REQUEST, terms={}, ends_on=TODAY + timedelta(days=99))
    story = SagaScenario(CONTRACT_TERM).happens(contract(TODAY)).waits(timedelta(days=1)).happens(later)
    story.rejects("its last day is not over yet").waits(timedelta(days=90)).sends()
    story.waits(timedelta(days=9)).sends(ExpireContract(contract_id=REQUEST))


def test_a_contract_that_is_taken_back_does_not_expire() -> None:
    story = SagaScenario(CONTRACT_TERM).happens(contract(TODAY))
    story.happens(ContractDeactivated(contract_id=REQUEST, partner_id=REQUEST, reason="why")).becomes("completed")
    assert story.saga.timers == {}


def test_a_contract_without_a_last_day_does_not_expire() -> None:
    assert SagaScenario(CONTRACT_TERM).happens(contract(None)).saga.timers == {}
