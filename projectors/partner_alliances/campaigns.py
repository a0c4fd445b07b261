"""Campaigns: a row for each."""

from projectors.projection import Fold, Projection
from schemas.envelope import RecordedEvent
from schemas.partner_alliances.campaigns import CampaignCreated
from schemas.partner_alliances.views import Campaign


def created(_: Campaign | None, recorded: RecordedEvent[CampaignCreated]) -> Campaign:
    return Campaign(**recorded.data.model_dump(), created_at=recorded.recorded_at)


PROJECTIONS = (Projection(Campaign, {CampaignCreated: Fold(lambda recorded: recorded.data.campaign_id, created)}),)
