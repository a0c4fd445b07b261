"""Campaigns: created for partners that this context knows as active."""

from collections.abc import Iterable

from aggregates.decision import Decision, Events
from aggregates.policy import Policy
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope, RecordedEvent
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
from schemas.partner_alliances.partners import PartnerDeleted
from schemas.partner_alliances.rejections import EndsTooEarly, PartnerIsNotActive


class Advertiser(State):
    """The campaigns' own state of a partner."""

    admitted: bool = False


def evolve(advertiser: Advertiser, event: Event) -> Advertiser:
    return Advertiser(admitted=isinstance(event, PartnerAdmitted))


ADVERTISER = Stream("advertiser", Advertiser, evolve)
CAMPAIGN = Stream("campaign")


def admit_partner(command: CommandEnvelope[AdmitPartner], advertiser: Advertiser) -> Events:
    """Allows campaigns of a partner."""
    if not advertiser.admitted:
        yield PartnerAdmitted(partner_id=command.data.partner_id)


def exclude_partner(command: CommandEnvelope[ExcludePartner], advertiser: Advertiser) -> Events:
    """Forbids further campaigns of a partner."""
    if advertiser.admitted:
        yield PartnerExcluded(partner_id=command.data.partner_id)


def create_campaign(command: CommandEnvelope[CreateCampaign], advertiser: Advertiser) -> Events:
    """Creates a campaign of a partner that is admitted."""
    data = command.data
    if not advertiser.admitted:
        raise PartnerIsNotActive(f"the partner {data.partner_id} is not active")
    if data.ends_on < data.starts_on:
        raise EndsTooEarly("the campaign ends before it begins")
    yield CampaignCreated(campaign_id=command.id, **dict(data))


def admit(activated: RecordedEvent[PartnerActivated]) -> Iterable[Command]:
    """Allows the campaigns of an activated partner."""
    yield AdmitPartner(partner_id=activated.data.partner_id)


def exclude(ended: RecordedEvent[PartnerWithdrawn] | RecordedEvent[PartnerDeleted]) -> Iterable[Command]:
    """Forbids the campaigns of a partner that is withdrawn or deleted."""
    yield ExcludePartner(partner_id=ended.data.partner_id)


DECISIONS = (
    Decision(AdmitPartner, ADVERTISER.create_or_change("partner_id"), admit_partner),
    Decision(ExcludePartner, ADVERTISER.create_or_change("partner_id"), exclude_partner),
    Decision(CreateCampaign, CAMPAIGN.create(), create_campaign, reads=(ADVERTISER.at("partner_id"),)),
)
POLICIES = (Policy("admit-active-partners", {PartnerActivated: admit, PartnerWithdrawn: exclude, PartnerDeleted: exclude}),)
