"""Integrations: who becomes a partner, and whose a tax number is."""

from datetime import timedelta

from aggregates.scenario import FIRST_ID
from schemas.errors import AlreadyExists
from schemas.partner_alliances.integrations import (
    ActivatePartner,
    CreatePartner,
    CreateProgram,
    PartnerActivated,
    PartnerRequested,
    PartnerWithdrawn,
    ProgramCreated,
    RequestPartner,
    TaxNumberFreed,
    TaxNumberTaken,
    WithdrawPartner,
)
from schemas.partner_alliances.partners import MailboxTaken, RegisterPartner
from schemas.partner_alliances.parts import (
    Affiliation,
    BankAccount,
    Profile,
    ProgramDetails,
    ProgramTerms,
    mailbox_id_of,
    partner_id_of,
)
from schemas.partner_alliances.rejections import MailboxIsTaken
from tests.unit.aggregates.partner_alliances.agreed import (
    CREATED,
    NUMBER,
    PARTNER,
    REQUEST,
    SOUND,
    STREAM,
    TAX_ID,
    TODAY,
    scenario,
)

NO_TAX_ID = Profile(name="Acme")


def test_a_request_is_taken_under_an_id_of_its_own() -> None:
    request = RequestPartner(profile=SOUND, email="ana@example.org", iban="ES91", bic=None, account_number=None)
    scenario().when(request).then(
        PartnerRequested(
            temporary_id=FIRST_ID,
            profile=SOUND,
            email="ana@example.org",
            mailbox_id=mailbox_id_of("ana@example.org"),
            account=BankAccount(iban="ES91"),
            product="AFFILIATION",
            terms={},
            starts_on=TODAY,
            ends_on=None,
        )
    )


def test_a_contract_cannot_be_over_before_it_begins() -> None:
    yesterday = TODAY - timedelta(days=1)
    scenario().when(RequestPartner(profile=SOUND, ends_on=yesterday)).then_rejected(containing="before it begins")


def test_a_tax_number_is_one_partners() -> None:
    create = CreatePartner(partner_id=PARTNER, temporary_id=REQUEST, profile=SOUND)
    case = scenario().when(create)
    assert set(case.recorded) == {CREATED, TaxNumberTaken(partner_id=PARTNER)}
    other = create.model_copy(update={"partner_id": REQUEST})
    case.when(other).then_rejected(AlreadyExists, "the tax number ES-B58378431 is that of the partner")


def test_a_mailbox_is_one_partners() -> None:
    mailbox_id = mailbox_id_of("ana@example.org")
    create = CreatePartner(partner_id=PARTNER, temporary_id=REQUEST, profile=NO_TAX_ID, email="mail", mailbox_id=mailbox_id)
    case = scenario().when(create)
    assert MailboxTaken(mailbox_id=mailbox_id, partner_id=PARTNER) in case.recorded
    case.when(create.model_copy(update={"partner_id": REQUEST})).then_rejected(MailboxIsTaken, "another partner")


def test_a_partner_that_was_registered_with_its_request_is_not_created_again() -> None:
    case = scenario().when(RegisterPartner(name="Acme", email="ana@example.org"), id=REQUEST)
    partner_id = partner_id_of(REQUEST)
    create = CreatePartner(
        partner_id=partner_id,
        temporary_id=REQUEST,
        profile=Profile(name="Acme"),
        email="ana@example.org",
        mailbox_id=mailbox_id_of("ana@example.org"),
    )
    case.when(create).then()
    case.when(create.model_copy(update={"temporary_id": PARTNER})).then_rejected(AlreadyExists, "exists already")


def test_a_withdrawn_partners_tax_number_is_free_again() -> None:
    case = scenario().given(STREAM, CREATED).given(NUMBER, TaxNumberTaken(partner_id=PARTNER))
    case.when(WithdrawPartner(partner_id=PARTNER, tax_id=TAX_ID, reason="why"))
    assert set(case.recorded) == {
        PartnerWithdrawn(partner_id=PARTNER, temporary_id=REQUEST, reason="why"),
        TaxNumberFreed(partner_id=PARTNER),
    }
    case.when(ActivatePartner(partner_id=PARTNER)).then_rejected(containing="withdrawn")
    case.when(WithdrawPartner(partner_id=PARTNER, tax_id=TAX_ID, reason="again")).then()


def test_a_partner_is_activated_once() -> None:
    case = scenario().given(STREAM, CREATED).when(ActivatePartner(partner_id=PARTNER))
    case.then(PartnerActivated(partner_id=PARTNER, temporary_id=REQUEST))
    case.when(ActivatePartner(partner_id=PARTNER)).then()


TERMS_OF_PROGRAM = ProgramTerms(model="CPL", currency="USD", base_rate_cents=5)
DETAILS = ProgramDetails(
    type="SAAS", brand_id="b", starts_on=TODAY, terms=TERMS_OF_PROGRAM, affiliations=(Affiliation(affiliate_id="a"),) * 2
)


def test_a_programme_has_a_name_or_details_and_each_affiliation_an_id() -> None:
    scenario().when(CreateProgram()).then_rejected(containing="needs a name or details")
    scenario().when(CreateProgram(name="Viajes")).then(
        ProgramCreated(
            program_id=FIRST_ID, name="Viajes", description="", product="AFFILIATION", commission_percent=0, details=None
        )
    )
    (created,) = scenario().when(CreateProgram(details=DETAILS)).recorded
    assert isinstance(created, ProgramCreated)
    assert created.details is not None
    ids = {one.affiliation_id for one in created.details.affiliations}
    assert len(ids - {None}) == 2
    assert scenario().when(CreateProgram(details=DETAILS)).recorded == (created,)


def test_a_programme_does_not_end_before_it_begins() -> None:
    over = DETAILS.model_copy(update={"ends_on": TODAY - timedelta(days=1)})
    scenario().when(CreateProgram(details=over)).then_rejected(containing="ends before it begins")
