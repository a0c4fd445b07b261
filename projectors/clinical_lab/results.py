"""Results and the queries that read them: one row for each."""

from projectors.projection import Projection
from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.views import ResultQueries, Results
from schemas.envelope import RecordedEvent


def result(row: Results, event: RecordedEvent[ResultRecorded]) -> Results:
    return row.replace(**dict(event.data), recorded_at=event.recorded_at)


def result_query(row: ResultQueries, event: RecordedEvent[ResultQueried]) -> ResultQueries:
    return row.replace(**dict(event.data))


PROJECTIONS = (
    Projection(Results, result, events=(ResultRecorded,)),
    Projection(ResultQueries, result_query, events=(ResultQueried,)),
)
