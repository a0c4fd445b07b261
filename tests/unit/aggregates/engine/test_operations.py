"""Operations of operators: each begins once and ends once."""

from uuid import UUID

from aggregates.engine.operations import DECISIONS
from aggregates.scenario import Scenario
from schemas.engine.operations import BeginOperation, EndOperation, OperationBegan, OperationEnded

ONE = UUID(int=1)
BEGIN = BeginOperation(run_id=ONE, operation="subscriptions/pause", parameters={"subscription": "todo.tasks"}, reason="why")
BEGAN = OperationBegan(
    run_id=ONE, operation="subscriptions/pause", parameters={"subscription": "todo.tasks"}, reason="why", before={}
)


def test_an_operation_ends_once() -> None:
    scenario = Scenario(DECISIONS).when(BEGIN).then(BEGAN)
    scenario.when(EndOperation(run_id=ONE, outcome="failed", problem="no database")).then(
        OperationEnded(run_id=ONE, outcome="failed", problem="no database", after={})
    )
    scenario.when(EndOperation(run_id=ONE, outcome="done")).then_rejected(containing="has ended already")


def test_an_operation_begins_once_and_not_without_a_beginning() -> None:
    Scenario(DECISIONS).when(BEGIN).when(BEGIN).then_rejected(containing="exists already")
    Scenario(DECISIONS).when(EndOperation(run_id=ONE, outcome="done")).then_rejected(containing="there is no operation")
