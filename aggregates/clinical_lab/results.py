"""Clinical results, numbered in the order in which they are recorded."""

from uuid import UUID

from pydantic import BaseModel

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.snapshot import SnapshotPolicy
from schemas.clinical_lab.results import NumberTaken, RecordResult, RecordResultQuery, ResultQueried, ResultRecorded
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists, Rejected
from schemas.message import Event


class ResultState(BaseModel):
    """What a snapshot of a result keeps."""

    number: int
    patient_id: UUID | None


class Result(Aggregate):
    """A patient's result. What it says is encrypted."""

    category = "result"
    snapshots = SnapshotPolicy(ResultState, every=100)  # it may be read for ever

    def __init__(self) -> None:
        self.number = 0
        self.patient_id: UUID | None = None

    def evolve(self, event: Event) -> None:
        if isinstance(event, ResultRecorded):
            self.number, self.patient_id = event.number, event.patient_id


class NumbersState(BaseModel):
    """What a snapshot of the numbers keeps."""

    last: int


class ResultNumbers(Aggregate):
    """The numbers that the laboratory has given."""

    category = "resultnumbers"
    snapshots = SnapshotPolicy(NumbersState, every=200)

    def __init__(self) -> None:
        self.last = 0

    def evolve(self, event: Event) -> None:
        if isinstance(event, NumberTaken):
            self.last = event.number


def record_result(issued: CommandEnvelope[RecordResult], result: Result, numbers: ResultNumbers) -> None:
    """Records a result under the next number."""
    command = issued.data
    if not result.is_new:
        raise AlreadyExists(f"the result {result.key} was recorded before")
    number, result_id = numbers.last + 1, UUID(result.key)
    numbers.record(NumberTaken(number=number, result_id=result_id))
    result.record(
        ResultRecorded(
            result_id=result_id,
            number=number,
            patient_id=command.patient_id,
            clinician_id=issued.actor,
            patient=command.patient,
            result=command.result,
        )
    )


def record_result_query(issued: CommandEnvelope[RecordResultQuery], result: Result) -> None:
    """Notes that somebody read a result."""
    if result.patient_id is None:
        raise Rejected(f"there is no result {result.key}")
    result.record(
        ResultQueried(
            query_id=issued.id,
            result_id=issued.data.result_id,
            number=result.number,
            patient_id=result.patient_id,
            queried_by=issued.data.queried_by,
            queried_at=issued.at,
        )
    )


AGGREGATES = (Result, ResultNumbers)
DECISIONS = (
    Decision(
        RecordResult, lambda issued: (Ref(Result, str(issued.id)), Ref(ResultNumbers, "all")), record_result, creates=True
    ),
    Decision(RecordResultQuery, lambda issued: (Ref(Result, str(issued.data.result_id)),), record_result_query),
)
