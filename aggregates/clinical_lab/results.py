"""Clinical results, numbered in the order in which they are recorded."""

from uuid import UUID

from aggregates.clinical_lab.numbers import Numbers, take_number
from aggregates.decision import Decision, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.clinical_lab.results import NumberTaken, RecordResult, RecordResultQuery, ResultQueried, ResultRecorded
from schemas.envelope import CommandEnvelope
from schemas.message import Event


class Result(State, snapshot_every=100):  # each reading adds an event
    """A patient's result. Its text is encrypted."""

    number: int = 0
    patient_id: UUID | None = None


def evolve(result: Result, event: Event) -> Result:
    if not isinstance(event, ResultRecorded):
        return result
    return Result(number=event.number, patient_id=event.patient_id)


RESULT = Stream("result", Result, evolve)
RESULT_NUMBERS = Stream("resultnumbers", Numbers, take_number, only="all")
NUMBERS = RESULT_NUMBERS.create_or_change()


def record_result(command: CommandEnvelope[RecordResult], numbers: Numbers) -> Events:
    """Records a result under the next number."""
    data, number = command.data, numbers.last + 1
    yield NUMBERS.records(NumberTaken(number=number, result_id=command.id))
    yield ResultRecorded(
        result_id=command.id,
        number=number,
        patient_id=data.patient_id,
        clinician_id=command.actor,
        patient=data.patient,
        result=data.result,
    )


def record_result_query(command: CommandEnvelope[RecordResultQuery], result: Result) -> Events:
    """Records that a user read a result."""
    assert result.patient_id is not None, "a result that exists is a patient's"
    yield ResultQueried(
        query_id=command.id,
        result_id=command.data.result_id,
        number=result.number,
        patient_id=result.patient_id,
        queried_by=command.data.queried_by,
        queried_at=command.at,
    )


DECISIONS = (
    Decision(RecordResult, RESULT.create(), record_result, writes=(NUMBERS,)),
    Decision(RecordResultQuery, RESULT.change("result_id"), record_result_query),
)
