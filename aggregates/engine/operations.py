"""Operations of operators: each begins once, and ends once."""

from aggregates.decision import Decision, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.engine.operations import BeginOperation, EndOperation, OperationBegan, OperationEnded
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected


class Run(State):
    """One run of an operation."""

    has_ended: bool = False


def evolve(run: Run, event: OperationBegan | OperationEnded) -> Run:
    return run.replace(has_ended=isinstance(event, OperationEnded))


RUN = Stream("operation", Run, evolve)


def begin(command: CommandEnvelope[BeginOperation]) -> Events:
    """Records the operation with its reason."""
    yield OperationBegan(**dict(command.data))


def end(command: CommandEnvelope[EndOperation], run: Run) -> Events:
    """Records the end, once."""
    if run.has_ended:
        raise Rejected("the operation has ended already")
    yield OperationEnded(**dict(command.data))


DECISIONS = (
    Decision(BeginOperation, RUN.create("run_id"), begin),
    Decision(EndOperation, RUN.change("run_id"), end),
)
