"""Images: a row for each, by the position of its event, which is its number; and those in quarantine."""

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.health_subscriptions.imaging import (
    ImageAnonymised,
    ImageDiscarded,
    ImageQuarantined,
    ImageReleased,
    QuarantinedFileDeleted,
)
from schemas.health_subscriptions.views import Images, QuarantinedImages


def image(row: Images, event: RecordedEvent[ImageAnonymised]) -> Images:
    file = event.data.file
    return row.replace(**{**dict(event.data), "file": None if file is None else file.model_dump()})


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


PROJECTIONS = (
    Projection(Images, image, events=(ImageAnonymised,), key=lambda event: event.position),
    Projection(
        QuarantinedImages,
        quarantined,
        events=(ImageQuarantined, ImageReleased, ImageDiscarded, QuarantinedFileDeleted),
        key=lambda event: event.data.quarantine_id,
    ),
)
