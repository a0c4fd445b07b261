"""The views of sagas: one row for each saga, and one for each of its inputs."""

from typing import Any

from pydantic import JsonValue

from projectors.projection import Projection
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.engine.sagas import ENDED, SagaAdvanced, saga_of
from schemas.envelope import RecordedEvent


def saga(row: Sagas, event: RecordedEvent[SagaAdvanced]) -> Sagas:
    step, at = event.data, event.recorded_at
    in_flight, failed_compensations = _commands(row, event)
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
        reference_ids=tuple(references[name] for name in sorted(references)),
        steps=row.steps + 1,
        position=event.position,
        deferred=_deferred(row, step),
        in_flight=in_flight,
        failed_compensations=failed_compensations,
        timers=timers,
        correlation_id=row.correlation_id or event.metadata.correlation_id,
        actor=event.metadata.actor if row.steps == 0 else row.actor,
        started_at=at if row.steps == 0 else row.started_at,
        updated_at=at,
        ended_at=(row.ended_at or at) if step.status in ENDED else None,
    )


def log_entry(row: SagaLogs, event: RecordedEvent[SagaAdvanced]) -> SagaLogs:
    step, input = event.data, event.data.input
    if row.saga_id is None:
        row = row.replace(
            saga_id=_saga_id(event),
            step=event.version,
            position=event.position,
            received_at=event.recorded_at,
            correlation_id=event.metadata.correlation_id,
            actor=event.metadata.actor,
        )
    return row.replace(
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
        reference_ids=tuple(step.references[name] for name in sorted(step.references)),
        happened_at=input.at,
        handled_at=event.recorded_at if step.step_status == "handled" else None,
    )


def _deferred(row: Sagas, step: SagaAdvanced) -> dict[str, JsonValue]:
    gone = {str(step.input.id), *map(str, step.dropped)}
    deferred = {id: one for id, one in row.deferred.items() if id not in gone}
    if step.deferred:
        deferred[str(step.input.id)] = {"name": step.input.name, "problem": step.problem, "status": step.step_status}
    return deferred


def _commands(row: Sagas, event: RecordedEvent[SagaAdvanced]) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Returns the commands in flight, and those whose compensation was rejected."""
    step = event.data
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
            "sent_at": event.recorded_at.isoformat(),
        }
        failed.pop(str(one.compensates), None)
    return in_flight, failed


def _saga_id(event: RecordedEvent[SagaAdvanced]) -> str:
    return saga_of(event.stream)


def _entry_id(event: RecordedEvent[SagaAdvanced]) -> str:
    return f"{_saga_id(event)}/{event.data.input.id}"


PROJECTIONS = (
    Projection(Sagas, saga, events=(SagaAdvanced,), key=_saga_id),
    Projection(SagaLogs, log_entry, events=(SagaAdvanced,), key=_entry_id),
)
