"""Partners and programmes: one row for each."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.partner_alliances.integrations import PartnerActivated, PartnerCreated, PartnerWithdrawn, ProgramCreated
from schemas.partner_alliances.partners import PartnerChanged, PartnerDeleted
from schemas.partner_alliances.views import Partners, Programs


def partner(row: Partners, event: RecordedEvent[Any]) -> Partners:
    row = row.replace(updated_at=event.recorded_at)
    match event.data:
        case PartnerCreated(profile=profile, temporary_id=temporary_id, email=email):
            return row.replace(
                temporary_id=temporary_id,
                name=profile.name,
                type=profile.type,
                email=email,
                tax_country=None if profile.tax_id is None else profile.tax_id.country,
                tax_number=None if profile.tax_id is None else profile.tax_id.number,
                created_at=event.recorded_at,
            )
        case PartnerActivated():
            return row.replace(status="active", reason=None)
        case PartnerWithdrawn(reason=reason):
            return row.replace(status="withdrawn", reason=reason)
        case PartnerChanged(name=name, email=email):
            return row.replace(name=name, email=email)
        case PartnerDeleted():
            return row.replace(status="deleted", reason=None)
    return row


def program(row: Programs, event: RecordedEvent[ProgramCreated]) -> Programs:
    details = event.data.details
    return row.replace(
        **{**dict(event.data), "details": None if details is None else details.model_dump(mode="json")},
        brand_id=None if details is None else details.brand_id,
        created_at=event.recorded_at,
    )


PROJECTIONS = (
    Projection(Partners, partner, events=(PartnerCreated, PartnerActivated, PartnerWithdrawn, PartnerChanged, PartnerDeleted)),
    Projection(Programs, program, events=(ProgramCreated,)),
)
