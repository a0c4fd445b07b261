"""Images: a row for each, by the position of its event, which is its number; and those in quarantine."""

from typing import Any
from uuid import UUID

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.health_subscriptions.imaging import (
    NOT_REACHED,
    ImageAnonymised,
    ImageDiscarded,
    ImagePostponed,
    ImageQuarantined,
    ImageRejected,
    ImageReleased,
    QuarantinedFileDeleted,
)
from schemas.health_subscriptions.views import ImageRequests, Images, QuarantinedImages


def image(row: Images, event: RecordedEvent[ImageAnonymised]) -> Images:
    data, file = event.data, event.data.file
    return row.replace(
        image_id=data.image_id,
        modality=data.modality,
        pathology=data.pathology,
        anatomical_region=data.anatomical_region,
        image_format=data.image_format,
        patient_id=data.patient_id,
        ingested_year=data.ingested_year,
        file=None if file is None else file.model_dump(),
    )


def request(row: ImageRequests, event: RecordedEvent[Any]) -> ImageRequests:
    match event.data:
        case ImageAnonymised(image_id=image_id):
            return row.replace(image_id=image_id, status="recorded", number=event.position, reason=None)
        case ImagePostponed(image_id=image_id):
            return row.replace(image_id=image_id, status="postponed", reason=NOT_REACHED)
        case ImageQuarantined(image_id=image_id, file=file):
            return row.replace(image_id=image_id, status="quarantined", reason=file.reason)
        case ImageRejected(image_id=image_id, reason=reason):
            return row.replace(image_id=image_id, status="rejected", reason=reason)
        case ImageDiscarded():
            return row.replace(status="discarded")
    return row


def quarantined(
    row: QuarantinedImages,
    event: RecordedEvent[ImageQuarantined | ImageReleased | ImageDiscarded | QuarantinedFileDeleted],
) -> QuarantinedImages:
    match event.data:
        case ImageQuarantined() as image:
            return row.replace(
                image_id=image.image_id,
                modality=image.modality,
                pathology=image.pathology,
                anatomical_region=image.anatomical_region,
                image_format=image.image_format,
                file=image.file.model_dump(),
                quarantined_at=event.recorded_at,
            )
        case ImageReleased():
            return row.replace(status="released")
        case ImageDiscarded():
            return row.replace(status="discarded")
        case QuarantinedFileDeleted():
            return row.replace(file=None)


def _request_of(event: RecordedEvent[Any]) -> UUID:
    return UUID(event.stream.partition("-")[2])


PROJECTIONS = (
    Projection(Images, image, events=(ImageAnonymised,), key=lambda event: event.position),
    Projection(
        ImageRequests,
        request,
        events=(ImageAnonymised, ImagePostponed, ImageQuarantined, ImageRejected, ImageDiscarded),
        key=_request_of,
    ),
    Projection(
        QuarantinedImages,
        quarantined,
        events=(ImageQuarantined, ImageReleased, ImageDiscarded, QuarantinedFileDeleted),
        key=lambda event: event.data.quarantine_id,
    ),
)
