"""Integrations: partners from their request on, each tax number at most once, and programmes."""

from uuid import UUID

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.partner_alliances.rules import compact
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


class PartnerRequest(Aggregate):
    """Somebody's request to become a partner."""

    category = "partnerrequest"

    def __init__(self) -> None:
        self.failed = False

    def evolve(self, event: Event) -> None:
        self.failed = isinstance(event, PartnerCreationFailed)


class Partner(Aggregate):
    """A partner."""

    category = "partner"

    def __init__(self) -> None:
        self.temporary_id: UUID | None = None
        self.tax_id: TaxId | None = None
        self.active = False
        self.withdrawn = False

    def evolve(self, event: Event) -> None:
        match event:
            case PartnerCreated():
                self.temporary_id, self.tax_id = event.temporary_id, event.profile.tax_id
            case PartnerActivated():
                self.active = True
            case PartnerWithdrawn():
                self.active, self.withdrawn = False, True


class TaxNumber(Aggregate):
    """Whose tax number it is."""

    category = "taxnumber"

    def __init__(self) -> None:
        self.partner_id: UUID | None = None

    def evolve(self, event: Event) -> None:
        self.partner_id = event.partner_id if isinstance(event, TaxNumberTaken) else None


class Program(Aggregate):
    """A programme that partners take part in."""

    category = "program"

    def evolve(self, event: Event) -> None:
        """Being there is all its state: nothing else is decided about a programme."""


def request_partner(issued: CommandEnvelope[RequestPartner], request: PartnerRequest) -> None:
    """Takes a request; the command's id is the partner's until there is a real one."""
    command, today = issued.data, issued.at.date()
    starts_on = command.starts_on or today
    if command.ends_on is not None and command.ends_on < max(starts_on, today):
        raise Rejected("the contract's last day is over before it begins")
    request.record(
        PartnerRequested(
            temporary_id=UUID(request.key),
            profile=command.profile,
            email=command.email,
            account=command.account,
            product=command.product,
            terms=command.terms,
            starts_on=starts_on,
            ends_on=command.ends_on,
        )
    )


def create_partner(issued: CommandEnvelope[CreatePartner], partner: Partner, number: TaxNumber | None = None) -> None:
    """Makes a partner. One without a tax number is for compliance to judge."""
    command = issued.data
    if not partner.is_new:
        raise AlreadyExists(f"the partner {partner.key} was created before")
    if number is not None:
        if number.partner_id is not None:
            raise AlreadyExists(f"the tax number {number.key} is that of the partner {number.partner_id}")
        number.record(TaxNumberTaken(partner_id=command.partner_id))
    partner.record(PartnerCreated(**command.model_dump()))


def fail_partner_creation(issued: CommandEnvelope[FailPartnerCreation], request: PartnerRequest) -> None:
    """Notes that no partner came of a request."""
    if request.failed:
        raise AlreadyExists(f"the request {request.key} has failed before")
    command = issued.data
    request.record(PartnerCreationFailed(temporary_id=command.temporary_id, error_message=command.error_message))


def activate_partner(issued: CommandEnvelope[ActivatePartner], partner: Partner) -> None:
    """Activates a partner that is not withdrawn."""
    temporary_id = _known(partner)
    if partner.withdrawn:
        raise Rejected(f"the partner {partner.key} is withdrawn")
    if not partner.active:
        partner.record(PartnerActivated(partner_id=issued.data.partner_id, temporary_id=temporary_id))


def withdraw_partner(issued: CommandEnvelope[WithdrawPartner], partner: Partner, number: TaxNumber | None = None) -> None:
    """Withdraws a partner, and frees its tax number."""
    command, temporary_id = issued.data, _known(partner)
    if partner.withdrawn:
        return
    if number is not None and number.partner_id == command.partner_id:
        number.record(TaxNumberFreed(partner_id=command.partner_id))
    partner.record(PartnerWithdrawn(partner_id=command.partner_id, temporary_id=temporary_id, reason=command.reason))


def create_program(issued: CommandEnvelope[CreateProgram], program: Program) -> None:
    """Makes a programme."""
    if not program.is_new:
        raise AlreadyExists(f"the programme {program.key} was created before")
    program.record(ProgramCreated(program_id=UUID(program.key), **issued.data.model_dump()))


def _known(partner: Partner) -> UUID:
    if partner.temporary_id is None:
        raise Rejected(f"there is no partner {partner.key}")
    return partner.temporary_id


def _with_number(partner_id: UUID, tax_id: TaxId | None) -> tuple[Ref, ...]:
    partner = Ref(Partner, str(partner_id))
    if tax_id is None:
        return (partner,)
    return (partner, Ref(TaxNumber, compact(tax_id)))


AGGREGATES = (PartnerRequest, Partner, TaxNumber, Program)
DECISIONS = (
    Decision(RequestPartner, lambda issued: (Ref(PartnerRequest, str(issued.id)),), request_partner, creates=True),
    Decision(
        CreatePartner,
        lambda issued: _with_number(issued.data.partner_id, issued.data.profile.tax_id),
        create_partner,
        creates=True,
    ),
    Decision(
        FailPartnerCreation,
        lambda issued: (Ref(PartnerRequest, str(issued.data.temporary_id)),),
        fail_partner_creation,
    ),
    Decision(ActivatePartner, lambda issued: (Ref(Partner, str(issued.data.partner_id)),), activate_partner),
    Decision(
        WithdrawPartner,
        lambda issued: _with_number(issued.data.partner_id, issued.data.tax_id),
        withdraw_partner,
    ),
    Decision(CreateProgram, lambda issued: (Ref(Program, str(issued.id)),), create_program, creates=True),
)
