"""Campaigns: one row for each."""

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.partner_alliances.campaigns import CampaignCreated
from schemas.partner_alliances.views import Campaigns


def campaign(row: Campaigns, event: RecordedEvent[CampaignCreated]) -> Campaigns:
    return row.replace(**event.data.model_dump(), created_at=event.recorded_at)


PROJECTIONS = (Projection(Campaigns, campaign, events=(CampaignCreated,)),)
