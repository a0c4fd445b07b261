"""Campaigns: a row for each."""

from projectors.projection import Fold, Projection
from schemas.envelope import Recorded
from schemas.partner_alliances.campaigns import CampaignCreated
from schemas.partner_alliances.views import Campaign


def created(_: Campaign | None, recorded: Recorded[CampaignCreated]) -> Campaign:
    return Campaign(**recorded.event.model_dump(), created_at=recorded.recorded_at)


PROJECTIONS = (Projection(Campaign, {CampaignCreated: Fold(lambda recorded: recorded.event.campaign_id, created)}),)
