"""The views of sagas: one row for each saga, and one for each of its inputs."""

from typing import Any

from pydantic import JsonValue

from projectors.projection import Projection
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.engine.sagas import ENDED, SagaAdvanced, saga_of
from schemas.envelope import RecordedEvent


def saga(row: Sagas, recorded: RecordedEvent[SagaAdvanced]) -> Sagas:
    step, at = recorded.data, recorded.recorded_at
    in_flight, failed_compensations = _commands(row, recorded)
    timers = {name: due for name, due in row.timers.items() if name not in step.timers_cancelled}
    timers |= {name: due.isoformat() for name, due in step.timers_set.items()}
    references = {**row.references, **step.references}
    return row.replace(
        saga=step.saga,
        key=step.key,
        status=step.status,
        reason=step.reason,
        state=step.state,
        references=references,
        reference_ids=tuple(references.values()),
        steps=row.steps + 1,
        position=recorded.position,
        deferred=_deferred(row, step),
        in_flight=in_flight,
        failed_compensations=failed_compensations,
        timers=timers,
        correlation_id=row.correlation_id or recorded.metadata.correlation_id,
        actor=recorded.metadata.actor if row.steps == 0 else row.actor,
        started_at=row.started_at or at,
        updated_at=at,
        ended_at=(row.ended_at or at) if step.status in ENDED else None,
    )


def log_entry(row: SagaLogs, recorded: RecordedEvent[SagaAdvanced]) -> SagaLogs:
    step, input = recorded.data, recorded.data.input
    if row.received_at is None:
        row = row.replace(
            step=recorded.version,
            received_at=recorded.recorded_at,
            correlation_id=recorded.metadata.correlation_id,
            actor=recorded.metadata.actor,
        )
    return row.replace(
        saga_id=_saga_id(recorded),
        saga=step.saga,
        kind=input.kind,
        event_type=input.name,
        event_id=str(input.id),
        payload=input.data or None,
        rejection=None if step.outcome is None else step.outcome.rejection,
        step_status=step.step_status,
        problem=step.problem,
        saga_status=step.status,
        sent=[{"command": one.command, "number": one.number, "compensates": one.compensates} for one in step.sent],
        references=step.references,
        reference_ids=tuple(step.references.values()),
        happened_at=input.at,
        handled_at=recorded.recorded_at if step.step_status == "handled" else None,
    )


def _deferred(row: Sagas, step: SagaAdvanced) -> dict[str, JsonValue]:
    gone = {str(step.input.id), *map(str, step.dropped)}
    deferred = {id: one for id, one in row.deferred.items() if id not in gone}
    if step.deferred:
        deferred[str(step.input.id)] = {"name": step.input.name, "problem": step.problem}
    return deferred


def _commands(row: Sagas, recorded: RecordedEvent[SagaAdvanced]) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Returns the commands in flight, and those whose compensation was rejected."""
    step = recorded.data
    in_flight: dict[str, Any] = dict(row.in_flight)
    failed: dict[str, JsonValue] = dict(row.failed_compensations)
    if step.outcome is not None and (sent := in_flight.pop(str(step.outcome.number), None)):
        compensates = sent["compensates"]
        if compensates is not None and step.outcome.rejection is not None:
            failed[str(compensates)] = {"name": sent["name"], "problem": step.outcome.rejection}
    for one in step.sent:
        in_flight[str(one.number)] = {
            "name": one.command,
            "compensates": one.compensates,
            "sent_at": recorded.recorded_at.isoformat(),
        }
        failed.pop(str(one.compensates), None)
    return in_flight, failed


def _saga_id(recorded: RecordedEvent[SagaAdvanced]) -> str:
    return saga_of(recorded.stream)


def _entry_id(recorded: RecordedEvent[SagaAdvanced]) -> str:
    return f"{_saga_id(recorded)}/{recorded.data.input.id}"


PROJECTIONS = (
    Projection(Sagas, saga, events=(SagaAdvanced,), key=_saga_id),
    Projection(SagaLogs, log_entry, events=(SagaAdvanced,), key=_entry_id),
)
