"""Partner alliances: what its contexts decide."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from aggregates.partner_alliances import campaigns, contracts, domain, rules
from aggregates.partner_alliances.products import Products
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario, reaction_of
from aggregates.state import state_schema_of
from schemas.errors import AlreadyExists, Rejected
from schemas.message import Command
from schemas.partner_alliances.campaigns import AdmitPartner, CreateCampaign, ExcludePartner, PartnerAdmitted
from schemas.partner_alliances.compliance import (
    ContractApproved,
    ContractRejected,
    PartnerValidated,
    PublishSanctionList,
    RecordAssessment,
    RecordValidation,
    SanctionListPublished,
)
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
from schemas.partner_alliances.integrations import (
    ActivatePartner,
    CreatePartner,
    PartnerActivated,
    PartnerCreated,
    PartnerRequested,
    PartnerWithdrawn,
    RequestPartner,
    TaxNumberFreed,
    TaxNumberTaken,
    WithdrawPartner,
)
from schemas.partner_alliances.parts import BankAccount, Profile, TaxId

PARTNER = UUID("01940000-0000-7000-8000-0000000000a1")
REQUEST = UUID("01940000-0000-7000-8000-0000000000b1")
CONTRACT = UUID("01940000-0000-7000-8000-0000000000c1")
TODAY = MIDNIGHT.date()
TAX_ID = TaxId(country="ES", number="B-58378431")
SOUND = Profile(name="Partner ABC", type="CORPORATE", tax_id=TAX_ID)
ACCOUNT = rules.account_verdict("ES91 2100 0418 4502 0005 1332", None, None)
CREATED = PartnerCreated(partner_id=PARTNER, temporary_id=REQUEST, profile=SOUND)
WHOSE = {"contract_id": CONTRACT, "partner_id": PARTNER, "temporary_id": REQUEST}
BY_HAND = {**WHOSE, "temporary_id": None}
TERMS = {"commission_percent": 5.0, "cookie_days": 30}
STREAM, NUMBER = f"partner-{PARTNER}", "taxnumber-ES-B58378431"
LIST = ("sanctionlist-current", SanctionListPublished(names=["Iván Petróv", "Evil Corp."]))


def new_scenario() -> Scenario:
    return Scenario(domain({}).decisions)


class TestIntegrations:
    def test_a_request_is_taken_under_an_id_of_its_own(self) -> None:
        request = RequestPartner(profile=SOUND, email="ana@example.org", iban="ES91", bic=None, account_number=None)
        new_scenario().when(request).then(
            PartnerRequested(
                temporary_id=FIRST_ID,
                profile=SOUND,
                email="ana@example.org",
                account=BankAccount(iban="ES91"),
                product="AFFILIATION",
                terms={},
                starts_on=TODAY,
                ends_on=None,
            )
        )

    def test_a_contract_cannot_be_over_before_it_begins(self) -> None:
        yesterday = TODAY - timedelta(days=1)
        new_scenario().when(RequestPartner(profile=SOUND, ends_on=yesterday)).then_rejected(containing="before it begins")

    def test_a_tax_number_is_one_partners(self) -> None:
        create = CreatePartner(partner_id=PARTNER, temporary_id=REQUEST, profile=SOUND)
        scenario = new_scenario().when(create)
        assert set(scenario.recorded) == {CREATED, TaxNumberTaken(partner_id=PARTNER)}
        other = create.model_copy(update={"partner_id": REQUEST})
        scenario.when(other).then_rejected(AlreadyExists, "the tax number ES-B58378431 is that of the partner")

    @pytest.mark.parametrize(
        ("country", "one", "other"),
        [("DE", "DE 136,695 976", "136695976"), ("ES", "ESB58378431", "b-58378431"), ("ZZ", "a 1", "A1")],
    )
    def test_a_tax_number_is_one_however_it_is_written(self, country: str, one: str, other: str) -> None:
        assert rules.compact(TaxId(country=country, number=one)) == rules.compact(TaxId(country=country, number=other))

    def test_a_withdrawn_partners_tax_number_is_free_again(self) -> None:
        scenario = new_scenario().given(STREAM, CREATED).given(NUMBER, TaxNumberTaken(partner_id=PARTNER))
        scenario.when(WithdrawPartner(partner_id=PARTNER, tax_id=TAX_ID, reason="why"))
        assert set(scenario.recorded) == {
            PartnerWithdrawn(partner_id=PARTNER, temporary_id=REQUEST, reason="why"),
            TaxNumberFreed(partner_id=PARTNER),
        }
        scenario.when(ActivatePartner(partner_id=PARTNER)).then_rejected(containing="withdrawn")
        scenario.when(WithdrawPartner(partner_id=PARTNER, tax_id=TAX_ID, reason="again")).then()

    def test_a_partner_is_activated_once(self) -> None:
        scenario = new_scenario().given(STREAM, CREATED).when(ActivatePartner(partner_id=PARTNER))
        scenario.then(PartnerActivated(partner_id=PARTNER, temporary_id=REQUEST))
        scenario.when(ActivatePartner(partner_id=PARTNER)).then()


class TestContracts:
    def created(self, ends_on: date | None = None) -> Scenario:
        return new_scenario().given(
            f"contract-{CONTRACT}",
            ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=ends_on),
        )

    def test_a_contract_has_the_terms_that_its_product_asks_for(self) -> None:
        create = CreateRequestedContract(**WHOSE, product="AFFILIATION", terms={}, starts_on=TODAY, ends_on=None)
        new_scenario().when(create).then(
            ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=None)
        )
        new_scenario().when(create.model_copy(update={"terms": {"commission_percent": 101}})).then_rejected(
            containing="commission_percent"
        )
        new_scenario().when(create.model_copy(update={"product": "LOTTERY"})).then_rejected(containing="no product LOTTERY")

    def test_terms_are_changed_one_by_one(self) -> None:
        scenario = self.created().when(ChangeContract(contract_id=CONTRACT, terms={"cookie_days": 10}))
        scenario.then(ContractChanged(**WHOSE, terms={**TERMS, "cookie_days": 10}, ends_on=None))
        scenario.when(ChangeContract(contract_id=CONTRACT, terms={"cookie_days": 10})).then()

    def test_a_contract_is_suspended_and_holds_again(self) -> None:
        scenario = self.created().when(ActivateContract(contract_id=CONTRACT))
        scenario.then(ContractActivated(**WHOSE, ends_on=None))
        scenario.when(SuspendContract(contract_id=CONTRACT, reason="unpaid"))
        scenario.then(ContractSuspended(**WHOSE, reason="unpaid"))
        scenario.when(SuspendContract(contract_id=CONTRACT, reason="again")).then()
        scenario.when(ResumeContract(contract_id=CONTRACT)).then(ContractResumed(**WHOSE))
        scenario.when(ResumeContract(contract_id=CONTRACT)).then()

    @pytest.mark.parametrize("client", [SuspendContract(contract_id=CONTRACT), ResumeContract(contract_id=CONTRACT)])
    def test_compliance_cannot_be_bypassed(self, client: Command) -> None:
        self.created().when(client).then_rejected(containing="is created")
        revision = self.created().when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
        revision.when(client).then_rejected(containing="is in revision")
        revision.when(DeactivateContract(contract_id=CONTRACT, reason="why"))
        revision.then(ContractDeactivated(**WHOSE, reason="why"))
        revision.when(client).then_rejected(containing="is inactive")
        revision.when(ActivateContract(contract_id=CONTRACT)).then_rejected(containing="is inactive")

    def test_a_contract_made_by_hand_holds_once_somebody_has_approved_it(self) -> None:
        scenario = new_scenario().when(CreateContract(partner_id=PARTNER, starts_on=TODAY), id=CONTRACT)
        assert [event.message_name for event in scenario.recorded] == ["ContractCreated", "ContractRevision"]
        scenario.when(DecideContractRevision(contract_id=CONTRACT, approved=True), actor="ana").then(
            ContractRevisionDecided(**BY_HAND, approved=True, reason="", decided_by="ana"),
            ContractActivated(**BY_HAND, ends_on=None),
        )

    def test_a_contract_whose_last_day_is_over_is_not_activated(self) -> None:
        later = MIDNIGHT + timedelta(days=1)
        scenario = self.created(TODAY)
        scenario.when(ActivateContract(contract_id=CONTRACT), at=later).then_rejected(containing="move it first")
        scenario.when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
        scenario.when(ExpireContract(contract_id=CONTRACT), at=later).then()
        approve = DecideContractRevision(contract_id=CONTRACT, approved=True)
        scenario.when(approve, at=later).then_rejected(containing="move it first")
        scenario.when(ChangeContract(contract_id=CONTRACT, ends_on=TODAY + timedelta(days=9)), at=later)
        scenario.when(approve, at=later)
        assert [event.message_name for event in scenario.recorded] == ["ContractRevisionDecided"]

    def test_a_contract_does_not_end_before_it_begins(self) -> None:
        scenario = new_scenario().given(
            f"contract-{CONTRACT}",
            ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY + timedelta(days=9), ends_on=None),
        )
        change = ChangeContract(contract_id=CONTRACT, ends_on=TODAY + timedelta(days=8))
        scenario.when(change).then_rejected(containing="before the contract begins")

    def test_a_snapshot_holds_all_of_it(self) -> None:
        created = ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=TODAY)
        contract = contracts.CONTRACT.fold(contracts.Contract(), [created, ContractSuspended(**WHOSE, reason="why")])
        assert contracts.Contract.from_snapshot(state_schema_of(contracts.Contract), contract.model_dump_json()) == contract
        assert contract.status == "suspended"

    def test_an_officer_decides_on_a_contract_under_revision(self) -> None:
        scenario = self.created().when(RequestContractRevision(contract_id=CONTRACT, reason="why"))
        scenario.then(ContractRevision(**WHOSE, reason="why"))
        scenario.when(ActivateContract(contract_id=CONTRACT)).then_rejected(containing="in revision")
        scenario.when(DecideContractRevision(contract_id=CONTRACT, approved=False, reason="no"), actor="ana")
        scenario.then(ContractRevisionDecided(**WHOSE, approved=False, reason="no", decided_by="ana"))
        scenario.when(DecideContractRevision(contract_id=CONTRACT, approved=True)).then_rejected(containing="not under")

    def test_a_contract_expires_after_its_last_day_and_not_before(self) -> None:
        scenario = self.created(TODAY)
        scenario.when(ExpireContract(contract_id=CONTRACT)).then_rejected(containing="not over yet")
        scenario.when(ExpireContract(contract_id=CONTRACT), at=MIDNIGHT + timedelta(days=1))
        scenario.then(ContractExpired(**WHOSE))

    def test_a_contract_that_does_not_exist_cannot_be_changed(self) -> None:
        for command in (ActivateContract, ChangeContract, ExpireContract, SuspendContract, ResumeContract):
            new_scenario().when(command(contract_id=CONTRACT)).then_rejected(containing="no contract")


class TestCompliance:
    def test_each_rule_is_named(self) -> None:
        scenario = new_scenario().given(*LIST).when(RecordValidation(profile=SOUND, account=ACCOUNT))
        (validated,) = scenario.recorded
        assert isinstance(validated, PartnerValidated)
        assert validated.approved
        assert [(found.rule, found.passed) for found in validated.verdicts] == [
            ("tax_id", True),
            ("bank_account", True),
            ("sanctions", True),
        ]

    @pytest.mark.parametrize(
        ("change", "broken"),
        [
            ({"tax_id": TaxId(country="ES", number="B58378432")}, "tax_id: the tax number is not one of ES"),
            ({"tax_id": TaxId(country="ZZ", number="1")}, "tax_id: the form of tax numbers of ZZ is not known"),
            ({"tax_id": None}, "tax_id: no tax number is given"),
            ({"name": "Petrov, Ivan"}, "sanctions: 100 % similar to 'ivan petrov'"),
            ({"name": "EVIL CORP"}, "sanctions: 100 % similar to 'evil corp'"),
        ],
    )
    def test_a_contract_is_rejected_for_each_rule_that_is_broken(self, change: dict[str, object], broken: str) -> None:
        profile = SOUND.model_copy(update=change)
        scenario = new_scenario().given(*LIST)
        scenario.when(RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=profile, account=ACCOUNT))
        (rejected,) = scenario.recorded
        assert isinstance(rejected, ContractRejected)
        assert rejected.cause.startswith(broken)
        assert sum(not found.passed for found in rejected.verdicts) == 1

    @pytest.mark.parametrize(
        ("iban", "bic", "number", "found"),
        [
            ("ES91 2100 0418 4502 0005 1332", None, None, (True, "a well-formed IBAN of ES")),
            ("ES9121000418450200051333", None, None, (False, "the IBAN is not well-formed")),
            (None, "DEUTDEFF", "1", (True, "DEUTDEFF is a well-formed BIC")),
            (None, "NOPE", "1", (False, "the BIC is not well-formed")),
            (None, None, "1", (False, "neither an IBAN")),
            (None, None, None, (False, "no bank account is given")),
        ],
    )
    def test_a_verdict_on_an_account_does_not_show_it(
        self, iban: str | None, bic: str | None, number: str | None, found: tuple[bool, str]
    ) -> None:
        verdict = rules.account_verdict(iban, bic, number)
        assert (verdict.rule, verdict.passed) == ("bank_account", found[0])
        assert verdict.detail.startswith(found[1])
        assert "21000418" not in verdict.detail

    def test_a_contract_with_an_account_that_is_none_is_rejected(self) -> None:
        account = rules.account_verdict("ES00", None, None)
        scenario = new_scenario().given(*LIST)
        scenario.when(RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=SOUND, account=account))
        assert scenario.recorded[0].cause.startswith("bank_account: the IBAN")  # type: ignore[attr-defined]

    def test_without_a_list_nobody_is_approved(self) -> None:
        scenario = new_scenario().when(
            RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=SOUND, account=ACCOUNT)
        )
        assert "no sanction list has been published" in scenario.recorded[0].cause  # type: ignore[attr-defined]

    def test_a_verdict_is_given_once_and_names_its_list(self) -> None:
        scenario = new_scenario().when(PublishSanctionList(names=["Nobody"])).when(PublishSanctionList(names=["No one"]))
        assess = RecordAssessment(contract_id=CONTRACT, partner_id=PARTNER, profile=SOUND, account=ACCOUNT)
        scenario.when(assess)
        (approved,) = scenario.recorded
        assert isinstance(approved, ContractApproved)
        assert approved.sanction_list == 2
        scenario.when(assess).then_rejected(AlreadyExists)

    @pytest.mark.parametrize(
        ("country", "number"), [("CO", "213.123.432-1"), ("US", "04-2103594"), ("MX", "GODE561231GR8"), ("DE", "136 695 976")]
    )
    def test_tax_numbers_of_many_countries_are_known(self, country: str, number: str) -> None:
        assert rules.tax_id(TaxId(country=country, number=number))[0]


class TestCampaigns:
    CAMPAIGN = CreateCampaign(
        partner_id=PARTNER, name="Spring", budget_cents=1000, starts_on=TODAY, ends_on=TODAY + timedelta(days=9)
    )

    def test_an_active_partner_is_admitted_and_a_withdrawn_one_excluded(self) -> None:
        (policy,) = campaigns.POLICIES
        activated = PartnerActivated(partner_id=PARTNER, temporary_id=REQUEST)
        assert reaction_of(policy, activated) == (AdmitPartner(partner_id=PARTNER),)
        withdrawn = PartnerWithdrawn(partner_id=PARTNER, temporary_id=REQUEST, reason="why")
        assert reaction_of(policy, withdrawn) == (ExcludePartner(partner_id=PARTNER),)

    def test_only_partners_that_are_admitted_have_campaigns(self) -> None:
        new_scenario().when(self.CAMPAIGN).then_rejected(containing="not active")
        scenario = new_scenario().given(f"advertiser-{PARTNER}", PartnerAdmitted(partner_id=PARTNER)).when(self.CAMPAIGN)
        assert [event.message_name for event in scenario.recorded] == ["CampaignCreated"]
        scenario.when(ExcludePartner(partner_id=PARTNER))
        scenario.when(self.CAMPAIGN, id=PARTNER).then_rejected(containing="not active")


def test_a_products_terms_are_complete_and_nothing_else() -> None:
    assert Products.of({}).agreed("REFERRAL", {"amount_cents": 5}) == {"amount_cents": 5, "currency": "USD"}
    with pytest.raises(Rejected, match="surprise"):
        Products.of({}).agreed("REFERRAL", {"surprise": 1})
