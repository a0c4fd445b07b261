"""Campaigns of active partners."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event
from schemas.partner_alliances.parts import Name, Note


class AdmitPartner(Command, internal=True):
    """Allows campaigns of a partner."""

    partner_id: UUID


class ExcludePartner(Command, internal=True):
    """Forbids further campaigns of a partner."""

    partner_id: UUID


Budget = Annotated[int, Field(ge=0, le=10**15)]


class CreateCampaign(Command):
    """Creates a campaign of an active partner."""

    partner_id: UUID
    name: Name
    description: Note = ""
    budget_cents: Budget
    starts_on: date
    ends_on: date


class PartnerAdmitted(Event):
    """Campaigns of a partner were allowed."""

    partner_id: UUID


class PartnerExcluded(Event):
    """Further campaigns of a partner were forbidden."""

    partner_id: UUID


class CampaignCreated(Event):
    """A campaign was created."""

    campaign_id: UUID
    partner_id: UUID
    name: str
    description: str
    budget_cents: int
    starts_on: date
    ends_on: date


COMMANDS = (AdmitPartner, ExcludePartner, CreateCampaign)
EVENTS = (PartnerAdmitted, PartnerExcluded, CampaignCreated)
