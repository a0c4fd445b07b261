"""Integrations: requests, partners (each tax number at most once), and programmes."""

from uuid import UUID

from aggregates.decision import Decision, Events
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
from schemas.partner_alliances.parts import TaxId


class PartnerRequest(State):
    """A request to become a partner."""

    failed: bool = False


def evolve_request(request: PartnerRequest, event: Event) -> PartnerRequest:
    return PartnerRequest(failed=isinstance(event, PartnerCreationFailed))


class Partner(State):
    """A partner."""

    temporary_id: UUID | None = None
    tax_id: TaxId | None = None
    active: bool = False
    withdrawn: bool = False


def evolve_partner(partner: Partner, event: Event) -> Partner:
    match event:
        case PartnerCreated(temporary_id=temporary_id, profile=profile):
            return Partner(temporary_id=temporary_id, tax_id=profile.tax_id)
        case PartnerActivated():
            return partner.replace(active=True)
        case PartnerWithdrawn():
            return partner.replace(active=False, withdrawn=True)
    return partner


class TaxNumber(State):
    """The partner that has a tax number."""

    partner_id: UUID | None = None


def evolve_tax_number(number: TaxNumber, event: Event) -> TaxNumber:
    return TaxNumber(partner_id=event.partner_id if isinstance(event, TaxNumberTaken) else None)


PARTNER_REQUEST = Stream("partnerrequest", PartnerRequest, evolve_request, noun="partner request")
PARTNER = Stream("partner", Partner, evolve_partner)
TAX_NUMBER = Stream("taxnumber", TaxNumber, evolve_tax_number)
PROGRAM = Stream("program", noun="programme")


def _tax_number_of_profile(command: CommandEnvelope[CreatePartner]) -> str | None:
    return _tax_number(command.data.profile.tax_id)


def _tax_number_to_free(command: CommandEnvelope[WithdrawPartner]) -> str | None:
    return _tax_number(command.data.tax_id)


def _tax_number(tax_id: TaxId | None) -> str | None:
    return None if tax_id is None else compact(tax_id)


PROFILES_TAX_NUMBER = TAX_NUMBER.create_or_change(_tax_number_of_profile)
TAX_NUMBER_TO_FREE = TAX_NUMBER.create_or_change(_tax_number_to_free)


def request_partner(command: CommandEnvelope[RequestPartner]) -> Events:
    """Accepts a request; the command's id is the partner's temporary id."""
    data, today = command.data, command.at.date()
    starts_on = data.starts_on or today
    if data.ends_on is not None and data.ends_on < max(starts_on, today):
        raise Rejected("the contract's last day is over before it begins")
    yield PartnerRequested(
        temporary_id=command.id,
        profile=data.profile,
        email=data.email,
        account=data.account,
        product=data.product,
        terms=data.terms,
        starts_on=starts_on,
        ends_on=data.ends_on,
    )


def create_partner(command: CommandEnvelope[CreatePartner], number: TaxNumber) -> Events:
    """Creates a partner, also without a tax number: compliance decides on it."""
    data = command.data
    if data.profile.tax_id is not None:
        if number.partner_id is not None:
            raise AlreadyExists(f"the tax number {compact(data.profile.tax_id)} is that of the partner {number.partner_id}")
        yield PROFILES_TAX_NUMBER.records(TaxNumberTaken(partner_id=data.partner_id))
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
    if partner.withdrawn:
        raise Rejected(f"the partner {partner_id} is withdrawn")
    if not partner.active:
        yield PartnerActivated(partner_id=partner_id, temporary_id=partner.temporary_id)


def withdraw_partner(command: CommandEnvelope[WithdrawPartner], partner: Partner, number: TaxNumber) -> Events:
    """Withdraws a partner, and frees its tax number."""
    data = command.data
    if partner.withdrawn:
        return
    if number.partner_id == data.partner_id:
        yield TAX_NUMBER_TO_FREE.records(TaxNumberFreed(partner_id=data.partner_id))
    yield PartnerWithdrawn(partner_id=data.partner_id, temporary_id=partner.temporary_id, reason=data.reason)


def create_program(command: CommandEnvelope[CreateProgram]) -> Events:
    """Creates a programme."""
    yield ProgramCreated(program_id=command.id, **dict(command.data))


DECISIONS = (
    Decision(RequestPartner, PARTNER_REQUEST.create(), request_partner),
    Decision(
        CreatePartner,
        PARTNER.create("partner_id"),
        create_partner,
        writes=(PROFILES_TAX_NUMBER,),
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
