"""The views of partners and programmes."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from projectors.partner_alliances.partners import PROJECTIONS
from schemas.partner_alliances.integrations import PartnerActivated, PartnerCreated, PartnerWithdrawn, ProgramCreated
from schemas.partner_alliances.partners import PartnerChanged, PartnerDeleted
from schemas.partner_alliances.parts import Profile, ProgramDetails, ProgramTerms, TaxId
from schemas.partner_alliances.views import Programs
from tests.unit.projectors.applied import applied

PARTNERS, PROGRAMS = PROJECTIONS
WHOSE = {"partner_id": UUID(int=1), "temporary_id": UUID(int=2)}
TAX_ID = TaxId.model_construct(country="ES", number="B1")
PROFILE = Profile.model_construct(name="Acme", type="CORPORATE", tax_id=TAX_ID)
CREATED = PartnerCreated(**WHOSE, profile=PROFILE, email="mail")


def test_a_partner_is_shown_from_its_creation_on() -> None:
    row = applied(PARTNERS, CREATED)

    assert (row.partner_id, row.temporary_id, row.name, row.email) == (UUID(int=1), UUID(int=2), "Acme", "mail")
    assert (row.tax_country, row.tax_number, row.status, row.created_at) == ("ES", "B1", "created", MIDNIGHT)


def test_it_is_activated_and_withdrawn() -> None:
    active = applied(PARTNERS, CREATED, PartnerActivated(**WHOSE))
    withdrawn = applied(PARTNERS, CREATED, PartnerActivated(**WHOSE), PartnerWithdrawn(**WHOSE, reason="why"))

    assert (active.status, active.reason) == ("active", None)
    assert (withdrawn.status, withdrawn.reason, withdrawn.updated_at) == ("withdrawn", "why", MIDNIGHT)


def test_it_is_changed_and_deleted() -> None:
    changed = PartnerChanged(
        partner_id=UUID(int=1), name="Eco", email="m", mailbox_id=None, former_mailbox_id=None, phone=None, address=None
    )
    row = applied(PARTNERS, CREATED, changed)
    deleted = applied(PARTNERS, PartnerDeleted(**WHOSE, tax_id=TAX_ID, mailbox_id=None), row=row)

    assert (row.name, row.email, row.status) == ("Eco", "m", "created")
    assert deleted.status == "deleted"


def test_a_programme_is_shown_with_the_time_of_its_creation() -> None:
    terms = ProgramTerms(model="CPA", currency="USD", base_rate_cents=5)
    details = ProgramDetails(type="SAAS", brand_id="brand", starts_on=MIDNIGHT.date(), terms=terms)
    given = {"program_id": UUID(int=1), "name": "Affiliates", "description": "", "product": "P", "commission_percent": 5}
    named, of_brand = ProgramCreated(**given), ProgramCreated(**given, details=details)

    assert applied(PROGRAMS, named) == Programs(**given, created_at=MIDNIGHT)
    assert applied(PROGRAMS, of_brand) == Programs(
        **given, details=details.model_dump(mode="json"), brand_id="brand", created_at=MIDNIGHT
    )
