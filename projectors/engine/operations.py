"""The view of operations: one row for each run."""

from projectors.projection import Projection
from schemas.engine.operation_views import Operations
from schemas.engine.operations import OperationBegan, OperationEnded
from schemas.envelope import RecordedEvent


def operation(row: Operations, event: RecordedEvent[OperationBegan | OperationEnded]) -> Operations:
    match event.data:
        case OperationBegan(operation=name, parameters=parameters, reason=reason, before=before):
            return row.replace(
                operation=name,
                parameters=parameters,
                reason=reason,
                before=before,
                actor=event.metadata.actor,
                began_at=event.recorded_at,
            )
        case OperationEnded(outcome=outcome, problem=problem, after=after):
            return row.replace(outcome=outcome, problem=problem, after=after, ended_at=event.recorded_at)


def _run_id(event: RecordedEvent[OperationBegan | OperationEnded]) -> str:
    return str(event.data.run_id)


PROJECTIONS = (Projection(Operations, operation, events=(OperationBegan, OperationEnded), key=_run_id),)
