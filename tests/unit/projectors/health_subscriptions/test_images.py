"""The view of images, whose key is the position of the event."""

from uuid import UUID

from projectors.health_subscriptions.images import PROJECTIONS
from schemas.health_subscriptions.imaging import (
    ImageAnonymised,
    ImageDiscarded,
    ImageQuarantined,
    ImageReleased,
    QuarantinedFileDeleted,
)
from schemas.values.dicom import QuarantinedFile
from tests.unit.projectors.applied import applied

FIELDS = {"image_id": "i", "modality": "m", "pathology": "p", "anatomical_region": "r", "image_format": "f"}


def test_an_image_has_its_number_and_what_was_recorded() -> None:
    event = ImageAnonymised(**FIELDS, patient_id=UUID(int=1), ingested_year=2024)

    row = applied(PROJECTIONS[0], event)

    assert row.model_dump() == {"number": 1, **event.model_dump()}


def test_an_image_in_quarantine_keeps_what_became_of_it() -> None:
    id, file = UUID(int=1), QuarantinedFile(key="quarantine/1", bytes=4, reason="posible texto")
    quarantined = ImageQuarantined(quarantine_id=id, **FIELDS, ingested_year=2024, file=file)

    row = applied(PROJECTIONS[1], quarantined)

    assert (row.status, row.image_id, row.file) == ("quarantined", "i", file.model_dump())
    released = applied(PROJECTIONS[1], quarantined, ImageReleased(quarantine_id=id), QuarantinedFileDeleted(quarantine_id=id))
    assert (released.status, released.file) == ("released", None)
    assert applied(PROJECTIONS[1], quarantined, ImageDiscarded(quarantine_id=id)).status == "discarded"
