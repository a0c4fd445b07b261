"""Results, and who read them: a row for each."""

from projectors.projection import Fold, Projection
from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.views import Result, ResultQuery
from schemas.envelope import RecordedEvent


def recorded_result(_: Result | None, recorded: RecordedEvent[ResultRecorded]) -> Result:
    return Result(**dict(recorded.data), recorded_at=recorded.recorded_at)


def queried(_: ResultQuery | None, recorded: RecordedEvent[ResultQueried]) -> ResultQuery:
    return ResultQuery(**dict(recorded.data))


PROJECTIONS = (
    Projection(Result, {ResultRecorded: Fold(lambda recorded: recorded.data.result_id, recorded_result)}),
    Projection(ResultQuery, {ResultQueried: Fold(lambda recorded: recorded.data.query_id, queried)}),
)
