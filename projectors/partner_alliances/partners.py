"""Partners and programmes: a row for each."""

from typing import Any

from projectors.projection import Fold, Projection
from schemas.envelope import RecordedEvent
from schemas.partner_alliances.integrations import PartnerActivated, PartnerCreated, PartnerWithdrawn, ProgramCreated
from schemas.partner_alliances.views import Partner, Program


def created(row: Partner | None, recorded: RecordedEvent[PartnerCreated]) -> Partner:
    profile = recorded.data.profile
    return _changed(
        row,
        recorded,
        temporary_id=recorded.data.temporary_id,
        name=profile.name,
        type=profile.type,
        email=recorded.data.email,
        tax_country=None if profile.tax_id is None else profile.tax_id.country,
        tax_number=None if profile.tax_id is None else profile.tax_id.number,
        created_at=recorded.recorded_at,
    )


def activated(row: Partner | None, recorded: RecordedEvent[PartnerActivated]) -> Partner:
    return _changed(row, recorded, status="active", reason=None)


def withdrawn(row: Partner | None, recorded: RecordedEvent[PartnerWithdrawn]) -> Partner:
    return _changed(row, recorded, status="withdrawn", reason=recorded.data.reason)


def program_created(_: Program | None, recorded: RecordedEvent[ProgramCreated]) -> Program:
    return Program(**recorded.data.model_dump(), created_at=recorded.recorded_at)


def _changed(row: Partner | None, recorded: RecordedEvent[Any], **fields: object) -> Partner:
    row = row or Partner(partner_id=recorded.data.partner_id)
    return row.model_copy(update={"updated_at": recorded.recorded_at, **fields})


def _partner(recorded: RecordedEvent[Any]) -> object:
    return recorded.data.partner_id


PROJECTIONS = (
    Projection(
        Partner,
        {
            PartnerCreated: Fold(_partner, created),
            PartnerActivated: Fold(_partner, activated),
            PartnerWithdrawn: Fold(_partner, withdrawn),
        },
    ),
    Projection(Program, {ProgramCreated: Fold(lambda recorded: recorded.data.program_id, program_created)}),
)
