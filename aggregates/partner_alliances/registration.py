"""Registration: partners that their clients register, change, verify and delete, and their integrations."""

from collections.abc import Iterable
from typing import Any

from aggregates.decision import Decision, Events
from aggregates.partner_alliances.integrations import PARTNER_REQUEST
from aggregates.partner_alliances.partner import (
    INTEGRATION,
    MAILBOX,
    PARTNER,
    TAX_NUMBER,
    Mailbox,
    Partner,
    TaxNumber,
    claim_mailbox,
    tax_number_of,
)
from aggregates.policy import Policy
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command
from schemas.partner_alliances.integrations import PartnerCreated, PartnerRequested, PartnerWithdrawn, TaxNumberFreed
from schemas.partner_alliances.partners import (
    MAILBOX_TAKEN,
    AddIntegration,
    ChangePartner,
    DeletePartner,
    FreeMailbox,
    FreeTaxNumber,
    IntegrationAssigned,
    IntegrationCreated,
    IntegrationRevoked,
    KycVerified,
    MailboxFreed,
    PartnerChanged,
    PartnerDeleted,
    PartnerRegistrationRejected,
    RecordRevocation,
    RegisterPartner,
    RequestRegistration,
    VerifyKyc,
)
from schemas.partner_alliances.parts import Profile, partner_id_of
from schemas.partner_alliances.rejections import IntegrationIsRevoked, IntegrationNotFound

PRODUCT = "AFFILIATION"
"""The product of the contract that a registered partner gets."""


def _partner_id(command: CommandEnvelope[RegisterPartner]) -> str:
    return str(partner_id_of(command.id))


def _changed_mailbox(command: CommandEnvelope[ChangePartner]) -> str | None:
    return None if command.data.mailbox_id is None else str(command.data.mailbox_id)


def _tax_number_to_free(command: CommandEnvelope[FreeTaxNumber]) -> str | None:
    return tax_number_of(command.data.tax_id)


REQUEST = PARTNER_REQUEST.create()
REGISTERED_MAILBOX = MAILBOX.create_or_change("mailbox_id", usually_new=True)
CHANGED_MAILBOX = MAILBOX.create_or_change(_changed_mailbox)
NEW_INTEGRATION = INTEGRATION.create()


def register_partner(command: CommandEnvelope[Any], mailbox: Mailbox) -> Events:
    """Creates a partner and the request that its onboarding starts with, both at once."""
    data, partner_id = command.data, partner_id_of(command.id)
    profile = Profile(name=data.name, type=data.type)
    yield from claim_mailbox(REGISTERED_MAILBOX, mailbox, data.mailbox_id, partner_id)
    yield REQUEST.records(
        PartnerRequested(
            temporary_id=command.id,
            profile=profile,
            email=data.email,
            mailbox_id=data.mailbox_id,
            product=PRODUCT,
            terms={},
            starts_on=command.at.date(),
            ends_on=None,
        )
    )
    yield PartnerCreated(
        partner_id=partner_id,
        temporary_id=command.id,
        profile=profile,
        email=data.email,
        mailbox_id=data.mailbox_id,
        phone=data.phone,
        address=data.address,
    )


def request_registration(command: CommandEnvelope[RequestRegistration], mailbox: Mailbox) -> Events:
    """Does the same for a sender who does not wait; nobody would see a rejection that is not an event."""
    partner_id = partner_id_of(command.id)
    if mailbox.partner_id is None:
        yield from register_partner(command, mailbox)
    elif mailbox.partner_id != partner_id:
        yield PartnerRegistrationRejected(partner_id=partner_id, temporary_id=command.id, reason=MAILBOX_TAKEN)


def change_partner(command: CommandEnvelope[ChangePartner], partner: Partner, mailbox: Mailbox) -> Events:
    """Changes what is given."""
    data = command.data
    partner.check_is_there(data.partner_id)
    if data.name is data.email is data.phone is data.address is None:
        return
    yield from claim_mailbox(CHANGED_MAILBOX, mailbox, data.mailbox_id, data.partner_id)
    yield PartnerChanged(
        partner_id=data.partner_id,
        name=data.name or partner.name,
        email=data.email or partner.email,
        mailbox_id=data.mailbox_id or partner.mailbox_id,
        former_mailbox_id=partner.mailbox_id,
        phone=data.phone or partner.phone,
        address=data.address or partner.address,
    )


def delete_partner(command: CommandEnvelope[DeletePartner], partner: Partner) -> Events:
    """Revokes the partner's integrations, and deletes it."""
    partner_id = command.data.partner_id
    partner.check_is_there(partner_id)
    for id, is_active in partner.integrations.items():
        if is_active:
            yield IntegrationRevoked(integration_id=id, partner_id=partner_id, reason="the partner was deleted")
    yield PartnerDeleted(
        partner_id=partner_id, temporary_id=partner.temporary_id, tax_id=partner.tax_id, mailbox_id=partner.mailbox_id
    )


def verify_kyc(command: CommandEnvelope[VerifyKyc], partner: Partner) -> Events:
    """Records a status of the verification; documents that are not given stay the same."""
    data = command.data
    partner.check_is_there(data.partner_id)
    yield KycVerified(
        partner_id=data.partner_id,
        status=data.status,
        former_status=partner.kyc_status,
        documents=data.documents or partner.kyc_documents,
        comments=data.comments,
    )


def add_integration(command: CommandEnvelope[AddIntegration], partner: Partner) -> Events:
    """Adds an integration to a partner."""
    data = command.data
    partner.check_is_there(data.partner_id)
    yield NEW_INTEGRATION.records(IntegrationAssigned(integration_id=command.id, partner_id=data.partner_id))
    yield IntegrationCreated(integration_id=command.id, **dict(data))


def record_revocation(command: CommandEnvelope[RecordRevocation], partner: Partner) -> Events:
    """Revokes an active integration."""
    data = command.data
    is_active = partner.integrations.get(str(data.integration_id))
    if is_active is None:
        raise IntegrationNotFound(f"there is no integration {data.integration_id}")
    if not is_active:
        raise IntegrationIsRevoked(f"the integration {data.integration_id} is revoked")
    yield IntegrationRevoked(**dict(data))


def free_tax_number(command: CommandEnvelope[FreeTaxNumber], number: TaxNumber) -> Events:
    """Frees the tax number of a deleted partner."""
    if number.partner_id == command.data.partner_id:
        yield TaxNumberFreed(partner_id=command.data.partner_id)


def free_mailbox(command: CommandEnvelope[FreeMailbox], mailbox: Mailbox, partner: Partner) -> Events:
    """Frees a mailbox, unless the partner has come back to it."""
    data = command.data
    is_used = partner.end is None and partner.mailbox_id == data.mailbox_id
    if mailbox.partner_id == data.partner_id and not is_used:
        yield MailboxFreed(mailbox_id=data.mailbox_id, partner_id=data.partner_id)


def former_mailbox(changed: RecordedEvent[PartnerChanged]) -> Iterable[Command]:
    """Frees the mailbox that a partner had before a change."""
    former = changed.data.former_mailbox_id
    if former is not None and former != changed.data.mailbox_id:
        yield FreeMailbox(partner_id=changed.data.partner_id, mailbox_id=former)


def withdrawn_partners_mailbox(withdrawn: RecordedEvent[PartnerWithdrawn]) -> Iterable[Command]:
    """Frees the mailbox of a withdrawn partner."""
    if withdrawn.data.mailbox_id is not None:
        yield FreeMailbox(partner_id=withdrawn.data.partner_id, mailbox_id=withdrawn.data.mailbox_id)


def deleted_partners_claims(deleted: RecordedEvent[PartnerDeleted]) -> Iterable[Command]:
    """Frees the mailbox and the tax number of a deleted partner."""
    data = deleted.data
    if data.mailbox_id is not None:
        yield FreeMailbox(partner_id=data.partner_id, mailbox_id=data.mailbox_id)
    if data.tax_id is not None:
        yield FreeTaxNumber(partner_id=data.partner_id, tax_id=data.tax_id)


DECISIONS = (
    Decision(RegisterPartner, PARTNER.create(_partner_id), register_partner, writes=(REQUEST, REGISTERED_MAILBOX)),
    Decision(RequestRegistration, PARTNER.create(_partner_id), request_registration, writes=(REQUEST, REGISTERED_MAILBOX)),
    Decision(ChangePartner, PARTNER.create_or_change("partner_id"), change_partner, writes=(CHANGED_MAILBOX,)),
    Decision(DeletePartner, PARTNER.create_or_change("partner_id"), delete_partner),
    Decision(VerifyKyc, PARTNER.create_or_change("partner_id"), verify_kyc),
    Decision(AddIntegration, PARTNER.create_or_change("partner_id"), add_integration, writes=(NEW_INTEGRATION,)),
    Decision(RecordRevocation, PARTNER.create_or_change("partner_id"), record_revocation),
    Decision(FreeTaxNumber, TAX_NUMBER.create_or_change(_tax_number_to_free), free_tax_number),
    Decision(FreeMailbox, MAILBOX.create_or_change("mailbox_id"), free_mailbox, reads=(PARTNER.at("partner_id"),)),
)
POLICIES = (
    Policy(
        "free-what-partners-had",
        {
            PartnerChanged: former_mailbox,
            PartnerWithdrawn: withdrawn_partners_mailbox,
            PartnerDeleted: deleted_partners_claims,
        },
    ),
)
