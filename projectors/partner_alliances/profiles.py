"""Profiles of partners: a row for each, with its integrations, and one for each registration that was rejected."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.partner_alliances.integrations import PartnerActivated, PartnerCreated, PartnerWithdrawn
from schemas.partner_alliances.partners import (
    IntegrationCreated,
    IntegrationRevoked,
    KycVerified,
    PartnerChanged,
    PartnerDeleted,
    PartnerRegistrationRejected,
)
from schemas.partner_alliances.views import PartnerProfiles


def profile(row: PartnerProfiles, event: RecordedEvent[Any]) -> PartnerProfiles:
    match event.data:
        case PartnerCreated(profile=profile, email=email, phone=phone, address=address):
            return row.replace(name=profile.name, email=email, phone=phone, address=address, created_at=event.recorded_at)
        case PartnerActivated():  # onboarding is no change of the profile
            return row.replace(onboarding="active")
        case PartnerWithdrawn():
            return row.replace(onboarding="withdrawn", status="inactive")
        case PartnerRegistrationRejected(reason=reason):
            return row.replace(onboarding="withdrawn", status="rejected", reason=reason, created_at=event.recorded_at)
    return _maintained(row.replace(updated_at=event.recorded_at), event)


def _maintained(row: PartnerProfiles, event: RecordedEvent[Any]) -> PartnerProfiles:
    match event.data:
        case PartnerChanged(name=name, email=email, phone=phone, address=address):
            return row.replace(name=name, email=email, phone=phone, address=address)
        case PartnerDeleted():
            return row.replace(status="deleted")
        case KycVerified(status=status, documents=documents):
            return row.replace(kyc_status=status, kyc_documents=documents)
        case IntegrationCreated():
            return row.replace(integrations=[*row.integrations, _integration(event)])
        case IntegrationRevoked(integration_id=id):
            revoked = {"active": False, "revoked_at": event.recorded_at.isoformat()}
            return row.replace(integrations=[{**one, **revoked} if one["id"] == str(id) else one for one in row.integrations])
    return row


def _integration(event: RecordedEvent[IntegrationCreated]) -> dict[str, Any]:
    created = event.data
    return {
        "id": str(created.integration_id),
        "type": created.type,
        "name": created.name,
        "description": created.description,
        "active": True,
        "created_at": event.recorded_at.isoformat(),
        "revoked_at": None,
    }


PROJECTIONS = (
    Projection(
        PartnerProfiles,
        profile,
        events=(
            PartnerCreated,
            PartnerActivated,
            PartnerWithdrawn,
            PartnerRegistrationRejected,
            PartnerChanged,
            PartnerDeleted,
            KycVerified,
            IntegrationCreated,
            IntegrationRevoked,
        ),
    ),
)
