"""The view of operations: one row shows the beginning and the end of a run."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from projectors.engine.operations import PROJECTIONS
from schemas.engine.operations import OperationBegan, OperationEnded
from tests.unit.projectors.applied import applied

(OPERATIONS,) = PROJECTIONS
ONE = UUID(int=1)
BEGAN = OperationBegan(run_id=ONE, operation="relay/backfill", parameters={"context": "a.b"}, reason="why", before={"n": 1})


def test_a_run_that_has_only_begun_has_no_outcome() -> None:
    row = applied(OPERATIONS, BEGAN)

    assert (row.run_id, row.operation, row.reason, row.before) == (str(ONE), "relay/backfill", "why", {"n": 1})
    assert (row.began_at, row.outcome, row.ended_at) == (MIDNIGHT, None, None)


def test_a_run_that_has_ended_shows_how() -> None:
    row = applied(OPERATIONS, BEGAN, OperationEnded(run_id=ONE, outcome="incomplete", problem="1 is left", after={"n": 2}))

    assert (row.outcome, row.problem, row.after, row.ended_at) == ("incomplete", "1 is left", {"n": 2}, MIDNIGHT)
