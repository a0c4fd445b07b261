"""A partner: its state, and what one partner at most can have: a tax number, and a mailbox."""

from typing import Literal
from uuid import UUID

from aggregates.decision import Events
from aggregates.partner_alliances.rules import compact
from aggregates.state import State
from aggregates.stream import Stream, StreamUse
from schemas.message import Event
from schemas.partner_alliances.integrations import PartnerActivated, PartnerCreated, PartnerWithdrawn, TaxNumberTaken
from schemas.partner_alliances.partners import (
    IntegrationAssigned,
    IntegrationCreated,
    IntegrationRevoked,
    KycStatus,
    KycVerified,
    MailboxTaken,
    PartnerChanged,
    PartnerDeleted,
)
from schemas.partner_alliances.parts import TaxId
from schemas.partner_alliances.rejections import MailboxIsTaken, PartnerIsDeleted, PartnerNotFound


class Partner(State, snapshot_every=50):  # each change adds an event
    """A partner. Its address, phone, mail address and documents are encrypted."""

    temporary_id: UUID | None = None
    name: str = ""
    tax_id: TaxId | None = None
    email: str | None = None
    mailbox_id: UUID | None = None
    phone: str | None = None
    address: str | None = None
    active: bool = False
    end: Literal["withdrawn", "deleted"] | None = None
    kyc_status: KycStatus = "pending"
    kyc_documents: str | None = None
    integrations: dict[str, bool] = {}
    """Whether each integration is active, by its id."""

    @property
    def exists(self) -> bool:
        """Returns whether the partner was created, also if it has ended since."""
        return self.temporary_id is not None

    def check_is_there(self, partner_id: UUID) -> None:
        """Raises `PartnerNotFound` or `PartnerIsDeleted`."""
        if not self.exists:
            raise PartnerNotFound(f"there is no partner {partner_id}")
        if self.end == "deleted":
            raise PartnerIsDeleted(f"the partner {partner_id} is deleted")


def evolve_partner(partner: Partner, event: Event) -> Partner:
    match event:
        case PartnerCreated():
            return Partner(
                temporary_id=event.temporary_id,
                name=event.profile.name,
                tax_id=event.profile.tax_id,
                email=event.email,
                mailbox_id=event.mailbox_id,
                phone=event.phone,
                address=event.address,
            )
        case PartnerChanged():
            return partner.replace(
                name=event.name, email=event.email, mailbox_id=event.mailbox_id, phone=event.phone, address=event.address
            )
        case PartnerActivated():
            return partner.replace(active=True)
        case PartnerWithdrawn():
            return partner.replace(active=False, end="withdrawn")
        case PartnerDeleted():
            return partner.replace(active=False, end="deleted")
        case KycVerified(status=status, documents=documents):
            return partner.replace(kyc_status=status, kyc_documents=documents)
        case IntegrationCreated(integration_id=id):
            return partner.replace(integrations={**partner.integrations, str(id): True})
        case IntegrationRevoked(integration_id=id):
            return partner.replace(integrations={**partner.integrations, str(id): False})
    return partner


class TaxNumber(State):
    """The partner that has a tax number."""

    partner_id: UUID | None = None


def evolve_tax_number(number: TaxNumber, event: Event) -> TaxNumber:
    return TaxNumber(partner_id=event.partner_id if isinstance(event, TaxNumberTaken) else None)


class Mailbox(State):
    """The partner that has a mailbox."""

    partner_id: UUID | None = None


def evolve_mailbox(mailbox: Mailbox, event: Event) -> Mailbox:
    return Mailbox(partner_id=event.partner_id if isinstance(event, MailboxTaken) else None)


class Integration(State):
    """The partner whose integration it is."""

    partner_id: UUID | None = None


def evolve_integration(_: Integration, event: IntegrationAssigned) -> Integration:
    return Integration(partner_id=event.partner_id)


PARTNER = Stream("partner", Partner, evolve_partner)
TAX_NUMBER = Stream("taxnumber", TaxNumber, evolve_tax_number)
MAILBOX = Stream("mailbox", Mailbox, evolve_mailbox)
INTEGRATION = Stream("integration", Integration, evolve_integration)


def tax_number_of(tax_id: TaxId | None) -> str | None:
    """Returns the key of a tax number's stream, ``None`` without a number."""
    return None if tax_id is None else compact(tax_id)


def claim_mailbox(use: StreamUse[Mailbox], mailbox: Mailbox, mailbox_id: UUID | None, partner_id: UUID) -> Events:
    """Assigns a mailbox to a partner, unless it has it already or has none; raises `MailboxIsTaken`."""
    if mailbox_id is None or mailbox.partner_id == partner_id:
        return
    if mailbox.partner_id is not None:
        raise MailboxIsTaken("another partner has the mailbox")
    yield use.records(MailboxTaken(mailbox_id=mailbox_id, partner_id=partner_id))
