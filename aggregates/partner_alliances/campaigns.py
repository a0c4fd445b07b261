"""Campaigns: made by partners that are active, as far as the campaigns have been told."""

from collections.abc import Iterable
from uuid import UUID

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.policy import Policy
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import AlreadyExists, Rejected
from schemas.message import Command, Event
from schemas.partner_alliances.campaigns import (
    AdmitPartner,
    CampaignCreated,
    CreateCampaign,
    ExcludePartner,
    PartnerAdmitted,
    PartnerExcluded,
)
from schemas.partner_alliances.integrations import PartnerActivated, PartnerWithdrawn


class Advertiser(Aggregate):
    """A partner, as the campaigns know it."""

    category = "advertiser"

    def __init__(self) -> None:
        self.admitted = False

    def evolve(self, event: Event) -> None:
        self.admitted = isinstance(event, PartnerAdmitted)


class Campaign(Aggregate):
    """A campaign."""

    category = "campaign"

    def evolve(self, event: Event) -> None:
        """Being there is all its state: nothing else is decided about a campaign."""


def admit_partner(issued: CommandEnvelope[AdmitPartner], advertiser: Advertiser) -> None:
    """Lets a partner run campaigns."""
    if not advertiser.admitted:
        advertiser.record(PartnerAdmitted(partner_id=issued.data.partner_id))


def exclude_partner(issued: CommandEnvelope[ExcludePartner], advertiser: Advertiser) -> None:
    """Lets a partner run no more campaigns."""
    if advertiser.admitted:
        advertiser.record(PartnerExcluded(partner_id=issued.data.partner_id))


def create_campaign(issued: CommandEnvelope[CreateCampaign], campaign: Campaign, advertiser: Advertiser) -> None:
    """Makes a campaign of a partner that may run some."""
    command = issued.data
    if not campaign.is_new:
        raise AlreadyExists(f"the campaign {campaign.key} was created before")
    if not advertiser.admitted:
        raise Rejected(f"the partner {command.partner_id} is not active")
    if command.ends_on < command.starts_on:
        raise Rejected("the campaign ends before it begins")
    campaign.record(CampaignCreated(campaign_id=UUID(campaign.key), **command.model_dump()))


def admit(activated: RecordedEvent[PartnerActivated]) -> Iterable[Command]:
    """Active partners may run campaigns."""
    yield AdmitPartner(partner_id=activated.data.partner_id)


def exclude(withdrawn: RecordedEvent[PartnerWithdrawn]) -> Iterable[Command]:
    """Partners that are withdrawn may not."""
    yield ExcludePartner(partner_id=withdrawn.data.partner_id)


AGGREGATES = (Advertiser, Campaign)
DECISIONS = (
    Decision(AdmitPartner, lambda issued: (Ref(Advertiser, str(issued.data.partner_id)),), admit_partner),
    Decision(ExcludePartner, lambda issued: (Ref(Advertiser, str(issued.data.partner_id)),), exclude_partner),
    Decision(
        CreateCampaign,
        lambda issued: (Ref(Campaign, str(issued.id)), Ref(Advertiser, str(issued.data.partner_id))),
        create_campaign,
        creates=True,
    ),
)
POLICIES = (Policy("admit-active-partners", {PartnerActivated: admit, PartnerWithdrawn: exclude}),)
