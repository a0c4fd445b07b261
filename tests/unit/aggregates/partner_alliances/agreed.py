"""A partner, its request and its contract, as the tests of the partner alliances use them."""

from uuid import UUID

from aggregates.partner_alliances import domain, rules
from aggregates.scenario import MIDNIGHT, Scenario
from schemas.partner_alliances.compliance import (
    SanctionListPublished,
)
from schemas.partner_alliances.integrations import (
    PartnerCreated,
)
from schemas.partner_alliances.parts import Profile, TaxId

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


def scenario() -> Scenario:
    return Scenario(domain({}).decisions)
