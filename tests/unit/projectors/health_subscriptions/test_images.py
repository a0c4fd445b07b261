"""The view of images, whose key is the position of the event."""

from uuid import UUID

from projectors.health_subscriptions.images import PROJECTIONS
from schemas.health_subscriptions.imaging import ImageAnonymised
from tests.unit.projectors.applied import applied


def test_an_image_has_its_number_and_what_was_recorded() -> None:
    fields = {"image_id": "i", "modality": "m", "pathology": "p", "anatomical_region": "r", "image_format": "f"}
    event = ImageAnonymised(**fields, patient_id=UUID(int=1), ingested_year=2024)

    row = applied(PROJECTIONS[0], event)

    assert row.model_dump() == {"number": 1, **event.model_dump()}
