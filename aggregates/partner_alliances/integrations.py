"""Integrations: requests, partners (each tax number and each mailbox at most once), and programmes."""

from collections.abc import Iterable
from uuid import UUID, uuid5

from aggregates.decision import Decision, Events
from aggregates.partner_alliances.partner import (
    MAILBOX,
    PARTNER,
    TAX_NUMBER,
    Mailbox,
    Partner,
    TaxNumber,
    claim_mailbox,
    tax_number_of,
)
from aggregates.partner_alliances.rules import compact
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists, Rejected
from schemas.message import Event
from schemas.partner_alliances.integrations import (
    ActivatePartner,
    CreatePartner,
    CreateProgram,
    FailPartnerCreation,
    PartnerActivated,
    PartnerCreated,
    PartnerCreationFailed,
    PartnerRequested,
    PartnerWithdrawn,
    ProgramCreated,
    RequestPartner,
    TaxNumberFreed,
    TaxNumberTaken,
    WithdrawPartner,
)
from schemas.partner_alliances.parts import Affiliation
from schemas.partner_alliances.rejections import EndsTooEarly, PartnerHasEnded


class PartnerRequest(State):
    """A request to become a partner."""

    failed: bool = False


def evolve_request(request: PartnerRequest, event: Event) -> PartnerRequest:
    return PartnerRequest(failed=isinstance(event, PartnerCreationFailed))


PARTNER_REQUEST = Stream("partnerrequest", PartnerRequest, evolve_request, noun="partner request")
PROGRAM = Stream("program", noun="programme")


def _tax_number_of_profile(command: CommandEnvelope[CreatePartner]) -> str | None:
    return tax_number_of(command.data.profile.tax_id)


def _tax_number_to_free(command: CommandEnvelope[WithdrawPartner]) -> str | None:
    return tax_number_of(command.data.tax_id)


def _mailbox(command: CommandEnvelope[CreatePartner]) -> str | None:
    return None if command.data.mailbox_id is None else str(command.data.mailbox_id)


PROFILES_TAX_NUMBER = TAX_NUMBER.create_or_change(_tax_number_of_profile)
TAX_NUMBER_TO_FREE = TAX_NUMBER.create_or_change(_tax_number_to_free)
PARTNERS_MAILBOX = MAILBOX.create_or_change(_mailbox)


def request_partner(command: CommandEnvelope[RequestPartner]) -> Events:
    """Accepts a request; the command's id is the partner's temporary id."""
    data, today = command.data, command.at.date()
    starts_on = data.starts_on or today
    if data.ends_on is not None and data.ends_on < max(starts_on, today):
        raise EndsTooEarly("the contract's last day is over before it begins")
    yield PartnerRequested(
        temporary_id=command.id,
        profile=data.profile,
        email=data.email,
        mailbox_id=data.mailbox_id,
        account=data.account,
        product=data.product,
        terms=data.terms,
        starts_on=starts_on,
        ends_on=data.ends_on,
    )


def create_partner(command: CommandEnvelope[CreatePartner], partner: Partner, number: TaxNumber, mailbox: Mailbox) -> Events:
    """Creates a partner, also without a tax number: compliance decides on it. One that was registered is there already."""
    data = command.data
    if partner.temporary_id == data.temporary_id:
        return
    if partner.exists:
        raise AlreadyExists(f"the partner {data.partner_id} exists already")
    if data.profile.tax_id is not None:
        if number.partner_id is not None:
            raise AlreadyExists(f"the tax number {compact(data.profile.tax_id)} is that of the partner {number.partner_id}")
        yield PROFILES_TAX_NUMBER.records(TaxNumberTaken(partner_id=data.partner_id))
    yield from claim_mailbox(PARTNERS_MAILBOX, mailbox, data.mailbox_id, data.partner_id)
    yield PartnerCreated(**data.model_dump())


def fail_partner_creation(command: CommandEnvelope[FailPartnerCreation], request: PartnerRequest) -> Events:
    """Records that no partner was created for a request."""
    data = command.data
    if request.failed:
        raise AlreadyExists(f"the request {data.temporary_id} has failed before")
    yield PartnerCreationFailed(temporary_id=data.temporary_id, error_message=data.error_message)


def activate_partner(command: CommandEnvelope[ActivatePartner], partner: Partner) -> Events:
    """Activates a partner that is not withdrawn."""
    partner_id = command.data.partner_id
    if partner.end is not None:
        raise PartnerHasEnded(f"the partner {partner_id} is {partner.end}")
    if not partner.active:
        yield PartnerActivated(partner_id=partner_id, temporary_id=partner.temporary_id)


def withdraw_partner(command: CommandEnvelope[WithdrawPartner], partner: Partner, number: TaxNumber) -> Events:
    """Withdraws a partner, and frees its tax number."""
    data = command.data
    if partner.end is not None:
        return
    if number.partner_id == data.partner_id:
        yield TAX_NUMBER_TO_FREE.records(TaxNumberFreed(partner_id=data.partner_id))
    yield PartnerWithdrawn(
        partner_id=data.partner_id, temporary_id=partner.temporary_id, mailbox_id=partner.mailbox_id, reason=data.reason
    )


def create_program(command: CommandEnvelope[CreateProgram]) -> Events:
    """Creates a programme; each of its affiliations has an id."""
    data, details = command.data, command.data.details
    if data.name is None and details is None:
        raise Rejected("a programme needs a name or details")
    if details is not None:
        if details.ends_on is not None and details.ends_on < details.starts_on:
            raise EndsTooEarly("the programme ends before it begins")
        details = details.model_copy(update={"affiliations": _with_ids(command.id, details.affiliations)})
    yield ProgramCreated(program_id=command.id, **{**dict(data), "details": details})


def _with_ids(program_id: UUID, affiliations: Iterable[Affiliation]) -> tuple[Affiliation, ...]:
    return tuple(
        one.model_copy(update={"affiliation_id": one.affiliation_id or uuid5(program_id, str(n))})
        for n, one in enumerate(affiliations)
    )


DECISIONS = (
    Decision(RequestPartner, PARTNER_REQUEST.create(), request_partner),
    Decision(
        CreatePartner,
        PARTNER.create_or_change("partner_id", usually_new=True),
        create_partner,
        writes=(PROFILES_TAX_NUMBER, PARTNERS_MAILBOX),
    ),
    Decision(FailPartnerCreation, PARTNER_REQUEST.create_or_change("temporary_id"), fail_partner_creation),
    Decision(ActivatePartner, PARTNER.change("partner_id"), activate_partner),
    Decision(
        WithdrawPartner,
        PARTNER.change("partner_id"),
        withdraw_partner,
        writes=(TAX_NUMBER_TO_FREE,),
    ),
    Decision(CreateProgram, PROGRAM.create(), create_program),
)
