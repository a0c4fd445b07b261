"""The view of partners as their clients maintain them."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from projectors.partner_alliances.profiles import PROJECTIONS
from schemas.partner_alliances.integrations import PartnerActivated, PartnerCreated, PartnerWithdrawn
from schemas.partner_alliances.partners import (
    IntegrationCreated,
    IntegrationRevoked,
    KycVerified,
    PartnerChanged,
    PartnerDeleted,
    PartnerRegistrationRejected,
)
from schemas.partner_alliances.parts import Profile
from tests.unit.projectors.applied import applied

(PROFILES,) = PROJECTIONS
ID, REQUEST, FIRST, SECOND = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
CREATED = PartnerCreated(
    partner_id=ID, temporary_id=REQUEST, profile=Profile(name="Jose"), email="mail", phone="phone", address="address"
)


def added(id: UUID) -> IntegrationCreated:
    return IntegrationCreated(
        integration_id=id, partner_id=ID, type="API", name="Ads", description="of them", configuration="secret"
    )


def test_a_partner_is_active_while_its_onboarding_goes_on() -> None:
    row = applied(PROFILES, CREATED)

    assert (row.name, row.email, row.phone, row.address) == ("Jose", "mail", "phone", "address")
    assert (row.status, row.onboarding, row.kyc_status) == ("active", "created", "pending")
    assert (row.created_at, row.updated_at, row.integrations) == (MIDNIGHT, None, [])
    active = applied(PROFILES, PartnerActivated(partner_id=ID, temporary_id=REQUEST), row=row)
    assert (active.onboarding, active.updated_at) == ("active", None)


def test_it_is_changed_and_verified() -> None:
    changed = PartnerChanged(
        partner_id=ID, name="Eco", email="m", mailbox_id=None, former_mailbox_id=None, phone="p", address="a"
    )
    verified = KycVerified(partner_id=ID, status="approved", former_status="pending", documents="d", comments="c")

    row = applied(PROFILES, CREATED, changed, verified)

    assert (row.name, row.email, row.phone, row.address) == ("Eco", "m", "p", "a")
    assert (row.kyc_status, row.kyc_documents, row.updated_at) == ("approved", "d", MIDNIGHT)


def test_it_has_its_integrations_without_their_configuration() -> None:
    row = applied(
        PROFILES, CREATED, added(FIRST), added(SECOND), IntegrationRevoked(integration_id=FIRST, partner_id=ID, reason="old")
    )

    times = {"created_at": MIDNIGHT.isoformat()}
    beginning = {"type": "API", "name": "Ads", "description": "of them"}
    assert row.integrations == [
        {"id": str(FIRST), **beginning, "active": False, **times, "revoked_at": MIDNIGHT.isoformat()},
        {"id": str(SECOND), **beginning, "active": True, **times, "revoked_at": None},
    ]


def test_it_ends() -> None:
    withdrawn = applied(PROFILES, CREATED, PartnerWithdrawn(partner_id=ID, temporary_id=REQUEST, reason="why"))
    deleted = PartnerDeleted(partner_id=ID, temporary_id=REQUEST, tax_id=None, mailbox_id=None)

    assert (withdrawn.status, withdrawn.onboarding) == ("inactive", "withdrawn")
    assert applied(PROFILES, deleted, row=withdrawn).status == "deleted"


def test_a_registration_that_was_rejected_has_a_row_with_the_reason() -> None:
    row = applied(PROFILES, PartnerRegistrationRejected(partner_id=ID, temporary_id=REQUEST, reason="the mailbox is taken"))

    assert (row.status, row.onboarding, row.reason, row.created_at) == (
        "rejected",
        "withdrawn",
        "the mailbox is taken",
        MIDNIGHT,
    )
