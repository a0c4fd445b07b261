"""Integrations: requests to become a partner, partners, and the programmes that partners take part in."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event
from schemas.partner_alliances.parts import (
    BankAccount,
    Name,
    Note,
    Product,
    Profile,
    ProgramDetails,
    TaxId,
    WithAccount,
    WithMailbox,
    partner_id_of,
)
from schemas.sensitive import Encrypted


class RequestPartner(WithMailbox, WithAccount, subject=partner_id_of):
    """Requests a partner with a contract; its saga shows the progress."""

    profile: Profile
    product: Product = "AFFILIATION"
    terms: dict[str, Any] = Field(default_factory=dict, description="The contract's terms, as its product defines them.")
    starts_on: date | None = Field(default=None, description="The contract's first day; unset: the day of the request.")
    ends_on: date | None = Field(default=None, description="The contract's last day; unset: none.")


class CreatePartner(Command, internal=True):
    """Creates a partner; rejected if another partner has the tax number or the mailbox."""

    partner_id: UUID
    temporary_id: UUID
    profile: Profile
    email: Encrypted = None
    mailbox_id: UUID | None = None


class FailPartnerCreation(Command, internal=True):
    """Records that no partner was created for a request."""

    temporary_id: UUID
    error_message: str


class ActivatePartner(Command, internal=True):
    """Activates a partner, who may then take part in programmes and campaigns."""

    partner_id: UUID


class WithdrawPartner(Command, internal=True):
    """Withdraws a partner: its tax number may be used again."""

    partner_id: UUID
    tax_id: TaxId | None = Field(default=None, description="The tax number that is freed.")
    reason: Note


Commission = Annotated[float, Field(ge=0, le=100)]
"""A percentage."""


class CreateProgram(Command):
    """Creates a programme that partners take part in; it has a name, details, or both."""

    name: Name | None = None
    description: Note = ""
    product: Product = "AFFILIATION"
    commission_percent: Commission = 0
    details: ProgramDetails | None = None


class PartnerRequested(Event):
    """A partner was requested; the temporary id is used until the partner is created."""

    temporary_id: UUID
    profile: Profile
    email: Encrypted = None
    mailbox_id: UUID | None = None
    account: BankAccount | None = None
    product: str
    terms: dict[str, Any]
    starts_on: date
    ends_on: date | None


class PartnerCreated(Event):
    """A partner was created."""

    partner_id: UUID
    temporary_id: UUID
    profile: Profile
    email: Encrypted = None
    mailbox_id: UUID | None = None
    phone: Encrypted = None
    address: Encrypted = None


class PartnerCreationFailed(Event):
    """No partner was created for a request."""

    temporary_id: UUID
    error_message: str


class PartnerActivated(Event):
    """A partner was activated, and may take part in programmes and campaigns."""

    partner_id: UUID
    temporary_id: UUID


class PartnerWithdrawn(Event):
    """A partner was withdrawn."""

    partner_id: UUID
    temporary_id: UUID
    mailbox_id: UUID | None = None
    reason: str


class TaxNumberTaken(Event):
    """A tax number was assigned to a partner."""

    partner_id: UUID


class TaxNumberFreed(Event):
    """A tax number was freed for another partner."""

    partner_id: UUID


class ProgramCreated(Event):
    """A programme was created."""

    program_id: UUID
    name: str | None
    description: str
    product: str
    commission_percent: float
    details: ProgramDetails | None = None


COMMANDS = (RequestPartner, CreatePartner, FailPartnerCreation, ActivatePartner, WithdrawPartner, CreateProgram)
EVENTS = (
    PartnerRequested,
    PartnerCreated,
    PartnerCreationFailed,
    PartnerActivated,
    PartnerWithdrawn,
    TaxNumberTaken,
    TaxNumberFreed,
    ProgramCreated,
)
