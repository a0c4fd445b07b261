"""Results, and who read them: a row for each."""

from projectors.projection import Fold, Projection
from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.views import Result, ResultQuery
from schemas.envelope import Recorded


def recorded_result(_: Result | None, recorded: Recorded[ResultRecorded]) -> Result:
    return Result(**dict(recorded.event), recorded_at=recorded.recorded_at)


def queried(_: ResultQuery | None, recorded: Recorded[ResultQueried]) -> ResultQuery:
    return ResultQuery(**dict(recorded.event))


PROJECTIONS = (
    Projection(Result, {ResultRecorded: Fold(lambda recorded: recorded.event.result_id, recorded_result)}),
    Projection(ResultQuery, {ResultQueried: Fold(lambda recorded: recorded.event.query_id, queried)}),
)
