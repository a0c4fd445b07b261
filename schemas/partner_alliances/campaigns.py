"""Campaigns: what active partners run."""

from datetime import date
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event
from schemas.partner_alliances.parts import Name, Note


class AdmitPartner(Command, internal=True):
    """Lets a partner run campaigns."""

    partner_id: UUID


class ExcludePartner(Command, internal=True):
    """Lets a partner run no more campaigns."""

    partner_id: UUID


class CreateCampaign(Command):
    """Makes a campaign of an active partner."""

    partner_id: UUID
    name: Name
    description: Note = ""
    budget_cents: int = Field(ge=0, le=10**15)
    starts_on: date
    ends_on: date


class PartnerAdmitted(Event):
    """A partner may run campaigns."""

    partner_id: UUID


class PartnerExcluded(Event):
    """A partner may run no more campaigns."""

    partner_id: UUID


class CampaignCreated(Event):
    """There is a campaign."""

    campaign_id: UUID
    partner_id: UUID
    name: str
    description: str
    budget_cents: int
    starts_on: date
    ends_on: date


COMMANDS = (AdmitPartner, ExcludePartner, CreateCampaign)
EVENTS = (PartnerAdmitted, PartnerExcluded, CampaignCreated)
