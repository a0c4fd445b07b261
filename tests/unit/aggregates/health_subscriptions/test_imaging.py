"""Images: recorded under a pseudonym of their own, which a repeat has again."""

from uuid import UUID

from aggregates.health_subscriptions.imaging import DECISIONS
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario
from schemas.health_subscriptions.imaging import AnonymiseImage, ImageAnonymised, ImageQueried, QueryImage

COMMAND = AnonymiseImage(
    image_id="46769a88-181f-4468-8i34",
    modality="Rayos X",
    pathology="Neumonia",
    anatomical_region="Craneo",
    image_format="DICOM",
)


def anonymised(id: UUID, **changes: int) -> ImageAnonymised:
    (event,) = Scenario(DECISIONS).when(COMMAND.model_copy(update=changes), id=id).recorded
    assert isinstance(event, ImageAnonymised)
    return event


def test_each_image_has_a_pseudonym_of_its_own_and_the_year_in_which_it_came() -> None:
    first, again, other = anonymised(FIRST_ID), anonymised(FIRST_ID), anonymised(UUID(int=9))

    assert first == again
    assert first.patient_id != other.patient_id
    assert (first.image_id, first.ingested_year) == (COMMAND.image_id, MIDNIGHT.year)
    assert anonymised(FIRST_ID, ingested_year=1999).ingested_year == 1999


def test_a_look_up_is_recorded_with_the_caller() -> None:
    Scenario(DECISIONS).when(QueryImage(number_or_id="7"), actor="eva").then(
        ImageQueried(query_id=FIRST_ID, number_or_id="7", queried_by="eva")
    )
