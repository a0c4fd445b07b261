"""Partners: registered at once by their clients, changed, verified and deleted, with their integrations."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event
from schemas.partner_alliances.parts import (
    Name,
    Note,
    PartnerType,
    Phone,
    PostalAddress,
    SensitiveNote,
    SensitiveObject,
    TaxId,
    WithMailbox,
    partner_id_of,
)
from schemas.partner_alliances.roles import CLIENTS_COMPLIANCE, CLIENTS_PARTNERS
from schemas.sensitive import Encrypted, RequiredSensitiveMailbox

KycStatus = Literal["pending", "approved", "rejected", "documents_required"]
"""The verification of a partner's identity (know your customer)."""
IntegrationType = Literal["API", "WEBHOOK", "BATCH", "REAL_TIME"]


class RegisterPartner(WithMailbox, subject=partner_id_of):
    """Registers a partner at once, and requests its contract; rejected if another partner has the mailbox."""

    name: Name
    type: PartnerType = "CORPORATE"
    email: RequiredSensitiveMailbox
    phone: Phone = None
    address: PostalAddress = None


class RequestRegistration(RegisterPartner, subject=partner_id_of):
    """Registers a partner later; a registration that is not possible is recorded as an event."""


class ChangePartner(WithMailbox, subject="partner_id", access=CLIENTS_PARTNERS):
    """Changes a partner; fields that are not given stay the same."""

    partner_id: UUID
    name: Name | None = None
    phone: Phone = None
    address: PostalAddress = None


class DeletePartner(Command, access=CLIENTS_PARTNERS):
    """Deletes a partner: its contracts and integrations are withdrawn."""

    partner_id: UUID


class VerifyKyc(Command, subject="partner_id", access=CLIENTS_COMPLIANCE):
    """Records the verification of a partner's identity."""

    partner_id: UUID
    status: KycStatus
    documents: SensitiveObject = None
    comments: SensitiveNote = None


class AddIntegration(Command, subject="partner_id", access=CLIENTS_PARTNERS):
    """Adds an integration with a partner's own system; its id is that of the command."""

    partner_id: UUID
    type: IntegrationType
    name: Name
    description: Note = ""
    configuration: SensitiveObject = None


class RevokeIntegration(Command, access=CLIENTS_PARTNERS):
    """Revokes an integration permanently."""

    integration_id: UUID
    reason: Note = ""


class RecordRevocation(Command, internal=True):
    """The same command with the partner whose integration it is."""

    integration_id: UUID
    partner_id: UUID
    reason: Note


class FreeTaxNumber(Command, internal=True):
    """Frees a tax number for another partner, if the one that has it is deleted."""

    partner_id: UUID
    tax_id: TaxId


class FreeMailbox(Command, internal=True):
    """Frees a mailbox for another partner, if the one that has it does not use it any more."""

    partner_id: UUID
    mailbox_id: UUID


MAILBOX_TAKEN = "another partner has the mailbox"


class PartnerRegistrationRejected(Event):
    """A partner was not registered."""

    partner_id: UUID = Field(description="The id that the partner would have.")
    temporary_id: UUID
    reason: str


class PartnerChanged(Event):
    """A partner was changed; the event has every field after the change."""

    partner_id: UUID
    name: str
    email: Encrypted
    mailbox_id: UUID | None
    former_mailbox_id: UUID | None = Field(description="The mailbox before the change; the same if it was not changed.")
    phone: Encrypted
    address: Encrypted


class PartnerDeleted(Event):
    """A partner was deleted."""

    partner_id: UUID
    temporary_id: UUID
    tax_id: TaxId | None
    mailbox_id: UUID | None


class KycVerified(Event):
    """The verification of a partner's identity got a new status."""

    partner_id: UUID
    status: KycStatus
    former_status: KycStatus
    documents: Encrypted
    comments: Encrypted


class IntegrationCreated(Event):
    """An integration with a partner's own system was created."""

    integration_id: UUID
    partner_id: UUID
    type: IntegrationType
    name: str
    description: str
    configuration: Encrypted


class IntegrationRevoked(Event):
    """An integration was revoked permanently."""

    integration_id: UUID
    partner_id: UUID
    reason: str


class IntegrationAssigned(Event):
    """An integration belongs to a partner."""

    integration_id: UUID
    partner_id: UUID


class MailboxTaken(Event):
    """A mailbox was assigned to a partner."""

    mailbox_id: UUID
    partner_id: UUID


class MailboxFreed(Event):
    """A mailbox was freed for another partner."""

    mailbox_id: UUID
    partner_id: UUID


COMMANDS = (
    RegisterPartner,
    RequestRegistration,
    ChangePartner,
    DeletePartner,
    VerifyKyc,
    AddIntegration,
    RevokeIntegration,
    RecordRevocation,
    FreeTaxNumber,
    FreeMailbox,
)
EVENTS = (
    PartnerRegistrationRejected,
    PartnerChanged,
    PartnerDeleted,
    KycVerified,
    IntegrationCreated,
    IntegrationRevoked,
    IntegrationAssigned,
    MailboxTaken,
    MailboxFreed,
)
