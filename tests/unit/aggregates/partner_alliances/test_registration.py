"""Registration: partners that are there at once, their changes and their end, and their integrations."""

from uuid import UUID, uuid4

import pytest

from aggregates.partner_alliances.registration import POLICIES
from aggregates.scenario import Scenario, reaction_of
from schemas.message import Command
from schemas.partner_alliances.integrations import (
    PartnerCreated,
    PartnerRequested,
    PartnerWithdrawn,
    TaxNumberFreed,
    TaxNumberTaken,
)
from schemas.partner_alliances.partners import (
    AddIntegration,
    ChangePartner,
    DeletePartner,
    FreeMailbox,
    FreeTaxNumber,
    IntegrationAssigned,
    IntegrationCreated,
    IntegrationRevoked,
    KycVerified,
    MailboxFreed,
    MailboxTaken,
    PartnerChanged,
    PartnerDeleted,
    PartnerRegistrationRejected,
    RecordRevocation,
    RegisterPartner,
    RequestRegistration,
    VerifyKyc,
)
from schemas.partner_alliances.parts import Profile, mailbox_id_of, partner_id_of
from schemas.partner_alliances.rejections import (
    IntegrationIsRevoked,
    IntegrationNotFound,
    MailboxIsTaken,
    PartnerIsDeleted,
    PartnerNotFound,
)
from tests.unit.aggregates.partner_alliances.agreed import CREATED, NUMBER, PARTNER, REQUEST, STREAM, TAX_ID, TODAY, scenario

REGISTER = RegisterPartner(name="Jose", email="jose@example.org", phone="123", address="cra 7")
ID, BOX = partner_id_of(REQUEST), mailbox_id_of("jose@example.org")
OTHER_BOX = mailbox_id_of("eva@example.org")
INTEGRATION = UUID("01940000-0000-7000-8000-0000000000d1")
ADD = AddIntegration(partner_id=ID, type="API", name="Ads", description="of them", configuration="{}")
(FREE,) = POLICIES


def registered() -> Scenario:
    return scenario().when(REGISTER, id=REQUEST)


def test_a_registration_whose_sender_does_not_wait_ends_as_a_partner_or_as_an_event() -> None:
    request = RequestRegistration(**REGISTER.model_dump())

    scenario().when(request, id=REQUEST).then(*registered().recorded)
    other = uuid4()
    rejected = PartnerRegistrationRejected(
        partner_id=partner_id_of(other), temporary_id=other, reason="another partner has the mailbox"
    )
    registered().when(request, id=other).then(rejected)


def test_a_registered_partner_is_there_at_once_and_its_contract_is_requested() -> None:
    profile, mail = Profile(name="Jose", type="CORPORATE"), {"email": "jose@example.org", "mailbox_id": BOX}
    registered().then(
        PartnerCreated(partner_id=ID, temporary_id=REQUEST, profile=profile, **mail, phone="123", address="cra 7"),
        PartnerRequested(
            temporary_id=REQUEST, profile=profile, **mail, product="AFFILIATION", terms={}, starts_on=TODAY, ends_on=None
        ),
        MailboxTaken(mailbox_id=BOX, partner_id=ID),
    )


@pytest.mark.parametrize("email", ["jose@example.org", "JOSE@Example.org"])
def test_a_mailbox_is_one_partners(email: str) -> None:
    registered().when(RegisterPartner(name="Eva", email=email), id=PARTNER).then_rejected(MailboxIsTaken, "another partner")


def test_what_is_not_given_stays_the_same() -> None:
    case = registered().when(ChangePartner(partner_id=ID, phone="456"))
    rest = {"name": "Jose", "email": "jose@example.org", "address": "cra 7", "former_mailbox_id": BOX}
    case.then(PartnerChanged(partner_id=ID, phone="456", mailbox_id=BOX, **rest))
    case.when(ChangePartner(partner_id=ID)).then()


def test_a_partner_that_keeps_its_mailbox_claims_none() -> None:
    case = registered().when(ChangePartner(partner_id=ID, email="jose@example.org"))
    assert [event.message_name for event in case.recorded] == ["PartnerChanged"]
    assert reaction_of(FREE, case.recorded[0]) == ()


def test_a_partner_with_another_mailbox_frees_the_one_before() -> None:
    case = registered().when(ChangePartner(partner_id=ID, email="eva@example.org"))
    changed, taken = case.recorded
    assert taken == MailboxTaken(mailbox_id=OTHER_BOX, partner_id=ID)
    (free,) = reaction_of(FREE, changed)
    assert free == FreeMailbox(partner_id=ID, mailbox_id=BOX)
    case.when(free).then(MailboxFreed(mailbox_id=BOX, partner_id=ID))
    case.when(free).then()
    case.when(RegisterPartner(name="Other", email="jose@example.org"), id=PARTNER)
    assert MailboxTaken(mailbox_id=BOX, partner_id=partner_id_of(PARTNER)) in case.recorded
    case.when(ChangePartner(partner_id=ID, email="jose@example.org")).then_rejected(MailboxIsTaken)


def test_a_mailbox_that_a_partner_has_come_back_to_is_not_freed() -> None:
    case = registered().when(ChangePartner(partner_id=ID, email="eva@example.org"))
    case.when(ChangePartner(partner_id=ID, email="jose@example.org"))
    case.when(FreeMailbox(partner_id=ID, mailbox_id=BOX)).then()


def test_a_verification_has_a_status_and_keeps_its_documents() -> None:
    case = registered().when(VerifyKyc(partner_id=ID, status="documents_required", documents="{}", comments="rut"))
    verified = {"partner_id": ID, "documents": "{}"}
    case.then(KycVerified(status="documents_required", former_status="pending", comments="rut", **verified))
    case.when(VerifyKyc(partner_id=ID, status="approved"))
    case.then(KycVerified(status="approved", former_status="documents_required", comments=None, **verified))


def test_an_integration_is_revoked_once() -> None:
    case = registered().when(ADD, id=INTEGRATION)
    case.then(
        IntegrationCreated(integration_id=INTEGRATION, **dict(ADD)),
        IntegrationAssigned(integration_id=INTEGRATION, partner_id=ID),
    )
    revoke = RecordRevocation(integration_id=INTEGRATION, partner_id=ID, reason="old")
    case.when(revoke).then(IntegrationRevoked(integration_id=INTEGRATION, partner_id=ID, reason="old"))
    case.when(revoke).then_rejected(IntegrationIsRevoked)
    case.when(revoke.model_copy(update={"integration_id": PARTNER})).then_rejected(IntegrationNotFound)


def test_a_deleted_partner_has_no_integrations_and_frees_its_mailbox() -> None:
    case = registered().when(ADD, id=INTEGRATION).when(DeletePartner(partner_id=ID))
    deleted = PartnerDeleted(partner_id=ID, temporary_id=REQUEST, tax_id=None, mailbox_id=BOX)
    reason = "the partner was deleted"
    case.then(IntegrationRevoked(integration_id=INTEGRATION, partner_id=ID, reason=reason), deleted)
    assert reaction_of(FREE, deleted) == (FreeMailbox(partner_id=ID, mailbox_id=BOX),)
    case.when(FreeMailbox(partner_id=ID, mailbox_id=BOX)).then(MailboxFreed(mailbox_id=BOX, partner_id=ID))


def test_a_partner_that_was_onboarded_frees_its_tax_number_when_it_is_deleted() -> None:
    case = scenario().given(STREAM, CREATED).given(NUMBER, TaxNumberTaken(partner_id=PARTNER))
    case.when(DeletePartner(partner_id=PARTNER))
    (deleted,) = case.recorded
    (free,) = reaction_of(FREE, deleted)
    assert free == FreeTaxNumber(partner_id=PARTNER, tax_id=TAX_ID)
    case.when(free).then(TaxNumberFreed(partner_id=PARTNER))
    case.when(free).then()


def test_a_withdrawn_partner_frees_its_mailbox() -> None:
    withdrawn = PartnerWithdrawn(partner_id=ID, temporary_id=REQUEST, mailbox_id=BOX, reason="why")
    (free,) = reaction_of(FREE, withdrawn)
    registered().given(f"partner-{ID}", withdrawn).when(free).then(MailboxFreed(mailbox_id=BOX, partner_id=ID))
    assert reaction_of(FREE, withdrawn.model_copy(update={"mailbox_id": None})) == ()


@pytest.mark.parametrize(
    "command",
    [ChangePartner(partner_id=ID, phone="1"), DeletePartner(partner_id=ID), VerifyKyc(partner_id=ID, status="approved"), ADD],
)
def test_a_partner_has_to_be_there(command: Command) -> None:
    scenario().when(command).then_rejected(PartnerNotFound)
    registered().when(DeletePartner(partner_id=ID)).when(command).then_rejected(PartnerIsDeleted)
