"""Campaigns: only partners that are active have some."""

from datetime import timedelta

from aggregates.partner_alliances import campaigns
from aggregates.scenario import reaction_of
from schemas.partner_alliances.campaigns import AdmitPartner, CreateCampaign, ExcludePartner, PartnerAdmitted
from schemas.partner_alliances.integrations import (
    PartnerActivated,
    PartnerWithdrawn,
)
from schemas.partner_alliances.partners import PartnerDeleted
from tests.unit.aggregates.partner_alliances.agreed import (
    PARTNER,
    REQUEST,
    TODAY,
    scenario,
)

CAMPAIGN = CreateCampaign(
    partner_id=PARTNER, name="Spring", budget_cents=1000, starts_on=TODAY, ends_on=TODAY + timedelta(days=9)
)


def test_an_active_partner_is_admitted_and_a_former_one_excluded() -> None:
    (policy,) = campaigns.POLICIES
    activated = PartnerActivated(partner_id=PARTNER, temporary_id=REQUEST)
    assert reaction_of(policy, activated) == (AdmitPartner(partner_id=PARTNER),)
    withdrawn = PartnerWithdrawn(partner_id=PARTNER, temporary_id=REQUEST, reason="why")
    deleted = PartnerDeleted(partner_id=PARTNER, temporary_id=REQUEST, tax_id=None, mailbox_id=None)
    for ended in (withdrawn, deleted):
        assert reaction_of(policy, ended) == (ExcludePartner(partner_id=PARTNER),)


def test_only_partners_that_are_admitted_have_campaigns() -> None:
    scenario().when(CAMPAIGN).then_rejected(containing="not active")
    case = scenario().given(f"advertiser-{PARTNER}", PartnerAdmitted(partner_id=PARTNER)).when(CAMPAIGN)
    assert [event.message_name for event in case.recorded] == ["CampaignCreated"]
    case.when(ExcludePartner(partner_id=PARTNER))
    case.when(CAMPAIGN, id=PARTNER).then_rejected(containing="not active")
