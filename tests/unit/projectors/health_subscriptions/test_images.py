"""The view of images, whose key is the position of the event."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from aggregates.scenario import recorded
from projectors.health_subscriptions.images import PROJECTIONS, request
from schemas.health_subscriptions.imaging import (
    ImageAnonymised,
    ImageDiscarded,
    ImagePostponed,
    ImageQuarantined,
    ImageRejected,
    ImageReleased,
    QuarantinedFileDeleted,
)
from schemas.health_subscriptions.views import ImageRequests
from schemas.message import Event
from schemas.values.dicom import QuarantinedFile
from tests.unit.projectors.applied import applied

FIELDS = {"image_id": "i", "modality": "m", "pathology": "p", "anatomical_region": "r", "image_format": "f"}


def test_an_image_has_its_number_and_what_was_recorded() -> None:
    event = ImageAnonymised(**FIELDS, patient_id=UUID(int=1), ingested_year=2024)

    row = applied(PROJECTIONS[0], event)

    assert row.model_dump() == {"number": 1, **event.model_dump(exclude={"request_id"})}


def test_an_image_in_quarantine_keeps_what_became_of_it() -> None:
    id, file = UUID(int=1), QuarantinedFile(key="quarantine/1", bytes=4, reason="posible texto")
    quarantined = ImageQuarantined(quarantine_id=id, **FIELDS, ingested_year=2024, file=file)

    row = applied(PROJECTIONS[2], quarantined)

    assert (row.status, row.image_id, row.file) == ("quarantined", "i", file.model_dump())
    released = applied(PROJECTIONS[2], quarantined, ImageReleased(quarantine_id=id), QuarantinedFileDeleted(quarantine_id=id))
    assert (released.status, released.file) == ("released", None)
    assert applied(PROJECTIONS[2], quarantined, ImageDiscarded(quarantine_id=id)).status == "discarded"


def test_a_request_shows_what_it_came_to() -> None:
    id, file = UUID(int=1), QuarantinedFile(key="quarantine/1", bytes=4, reason="posible texto")
    quarantined = ImageQuarantined(quarantine_id=id, **FIELDS, ingested_year=2024, file=file)
    anonymised = ImageAnonymised(**FIELDS, patient_id=id, ingested_year=2024)
    rejected = ImageRejected(image_id="i", reason="no")

    def shown(*events: Event) -> tuple[object, ...]:
        row = request(ImageRequests(request_id=id), recorded(events[0]))
        for event in events[1:]:
            row = request(row, recorded(event))
        return row.status, row.number, row.reason, row.image_id

    postponed = ImagePostponed(
        **FIELDS, request_id=id, ingested_year=2024, url=None, attempt=1, again_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert shown(postponed) == ("postponed", None, "La fuente de la imagen no responde", "i")
    assert shown(postponed, anonymised)[:3] == ("recorded", 1, None)
    assert shown(anonymised) == ("recorded", 1, None, "i")
    assert shown(rejected) == ("rejected", None, "no", "i")
    assert shown(quarantined) == ("quarantined", None, "posible texto", "i")
    assert shown(quarantined, ImageDiscarded(quarantine_id=id))[0] == "discarded"
    assert shown(quarantined, ImageReleased(quarantine_id=id), anonymised)[:3] == ("recorded", 1, None)


def test_a_request_is_found_by_the_key_of_its_stream() -> None:
    event = replace(recorded(ImageRejected(image_id="i", reason="no")), stream=f"image-{UUID(int=7)}")

    assert PROJECTIONS[1].key_of(event) == UUID(int=7)
