"""Requests to anonymise an image, and the patients to whom their tokens belong."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.medical_datasets.anonymisation import (
    AnonymisationFailed,
    AnonymisationRolledBack,
    AnonymisationStarted,
    ImageAnonymised,
    PatientLinked,
)
from schemas.medical_datasets.views import AnonymisationRequests, PatientLinks


def request(row: AnonymisationRequests, event: RecordedEvent[Any]) -> AnonymisationRequests:
    row = row.replace(updated_at=event.recorded_at)
    match event.data:
        case AnonymisationStarted(token=token):
            return row.replace(token=token, started_at=event.recorded_at)
        case ImageAnonymised(file=file):
            return row.replace(status="anonymised", file=None if file is None else file.model_dump(mode="json"))
        case AnonymisationFailed(reason=reason):
            return row.replace(status="failed", reason=reason, started_at=row.started_at or event.recorded_at)
        case AnonymisationRolledBack():
            return row.replace(status="rolled_back", file=None)
    return row


def link(row: PatientLinks, event: RecordedEvent[PatientLinked]) -> PatientLinks:
    data = event.data
    return row.replace(
        saga_id=data.saga_id,
        record_id=data.record_id,
        name=data.name,
        address=data.address,
        phone=data.phone,
        linked_at=event.recorded_at,
    )


PROJECTIONS = (
    Projection(
        AnonymisationRequests,
        request,
        events=(AnonymisationStarted, ImageAnonymised, AnonymisationFailed, AnonymisationRolledBack),
    ),
    Projection(PatientLinks, link, events=(PatientLinked,)),
)
