"""The views of results and of the queries that read them."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from projectors.clinical_lab.results import PROJECTIONS
from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.views import ResultQueries, Results
from tests.unit.projectors.applied import applied

RESULTS, QUERIES = PROJECTIONS


def test_a_result_is_shown_with_the_time_of_its_recording() -> None:
    fields = {
        "result_id": UUID(int=1), "number": 7, "patient_id": UUID(int=2), "clinician_id": "c",
        "patient": "Ana", "result": "good",
    }  # fmt: skip

    assert applied(RESULTS, ResultRecorded.model_validate(fields)) == Results(**fields, recorded_at=MIDNIGHT)


def test_a_query_is_shown_as_it_was_recorded() -> None:
    event = ResultQueried(
        query_id=UUID(int=1), result_id=UUID(int=2), number=7, patient_id=UUID(int=3), queried_by="c", queried_at=MIDNIGHT
    )

    assert applied(QUERIES, event) == ResultQueries(**dict(event))
