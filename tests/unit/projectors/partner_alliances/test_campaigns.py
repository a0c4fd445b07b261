"""The view of campaigns."""

from datetime import date
from uuid import UUID

from aggregates.scenario import MIDNIGHT
from projectors.partner_alliances.campaigns import PROJECTIONS
from schemas.partner_alliances.campaigns import CampaignCreated
from schemas.partner_alliances.views import Campaigns
from tests.unit.projectors.applied import applied


def test_a_campaign_is_shown_with_the_time_of_its_creation() -> None:
    event = CampaignCreated(
        campaign_id=UUID(int=1), partner_id=UUID(int=2), name="Summer", description="", budget_cents=100,
        starts_on=date(2030, 6, 1), ends_on=date(2030, 8, 31),
    )  # fmt: skip

    assert applied(PROJECTIONS[0], event) == Campaigns(**dict(event), created_at=MIDNIGHT)
