"""Sagas: one row for each process, and one for each thing that it was told."""

from datetime import datetime
from typing import Any

from pydantic import JsonValue

from projectors.projection import Projection
from schemas.engine.saga_views import Saga, SagaLogEntry
from schemas.engine.sagas import ENDED, SagaAdvanced, saga_of
from schemas.envelope import RecordedEvent


def stands(row: Saga, recorded: RecordedEvent[SagaAdvanced]) -> Saga:
    step, at = recorded.data, recorded.recorded_at
    underway, not_undone = _commands(row, recorded)
    timers = {name: due for name, due in row.timers.items() if name not in step.timers_cancelled}
    timers |= {name: due.isoformat() for name, due in step.timers_set.items()}
    return row.model_copy(
        update={
            "process": step.process,
            "about": step.key,
            "status": step.status,
            "state": step.status_shown,
            "reason": step.reason,
            "knows": step.state,
            "temporary_id": step.temporary_id or row.temporary_id,
            "real_id": step.real_id or row.real_id,
            "steps": row.steps + 1,
            "position": recorded.position,
            "waiting": _waiting(row, step),
            "underway": underway,
            "not_undone": not_undone,
            "timers": timers,
            "next_due": min((datetime.fromisoformat(str(due)) for due in timers.values()), default=None),
            "correlation_id": row.correlation_id or recorded.metadata.correlation_id,
            "actor": recorded.metadata.actor if row.steps == 0 else row.actor,
            "started_at": row.started_at or at,
            "updated_at": at,
            "ended_at": (row.ended_at or at) if step.status in ENDED else None,
        }
    )


def told(row: SagaLogEntry, recorded: RecordedEvent[SagaAdvanced]) -> SagaLogEntry:
    step, cause = recorded.data, recorded.data.cause
    if row.received_at is None:
        row = row.replace(
            step=recorded.version,
            received_at=recorded.recorded_at,
            correlation_id=recorded.metadata.correlation_id,
            actor=recorded.metadata.actor,
        )
    return row.model_copy(
        update={
            "saga_id": _saga_id(recorded),
            "process": step.process,
            "kind": cause.kind,
            "event_type": cause.name,
            "event_id": str(cause.id),
            "payload": cause.data or None,
            "standing": step.standing,
            "state": step.standing_shown,
            "problem": step.problem,
            "saga_state": step.status_shown,
            "sent": [sent.command for sent in step.sent],
            "temporary_id": step.temporary_id,
            "real_id": step.real_id,
            "happened_at": cause.at,
            "processed_at": recorded.recorded_at if step.standing == "processed" else None,
        }
    )


def _waiting(row: Saga, step: SagaAdvanced) -> dict[str, JsonValue]:
    gone = {str(step.cause.id), *map(str, step.let_go)}
    waiting = {id: told for id, told in row.waiting.items() if id not in gone}
    if step.kept:
        waiting[str(step.cause.id)] = {"name": step.cause.name, "problem": step.problem}
    return waiting


def _commands(row: Saga, recorded: RecordedEvent[SagaAdvanced]) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """What is on its way, and what could not be taken back."""
    step = recorded.data
    underway: dict[str, Any] = dict(row.underway)
    not_undone: dict[str, JsonValue] = dict(row.not_undone)
    if step.answer is not None and (answered := underway.pop(str(step.answer.number), None)):
        undoes = answered["undoes"]
        if undoes is not None and step.answer.rejection is not None:
            not_undone[str(undoes)] = {"name": answered["name"], "problem": step.answer.rejection}
    for sent in step.sent:
        underway[str(sent.number)] = {
            "name": sent.command,
            "undoes": sent.undoes,
            "sent_at": recorded.recorded_at.isoformat(),
        }
        not_undone.pop(str(sent.undoes), None)
    return underway, not_undone


def _saga_id(recorded: RecordedEvent[SagaAdvanced]) -> str:
    return saga_of(recorded.stream)


def _entry_id(recorded: RecordedEvent[SagaAdvanced]) -> str:
    return f"{_saga_id(recorded)}/{recorded.data.cause.id}"


PROJECTIONS = (
    Projection(Saga, stands, events=(SagaAdvanced,), key=_saga_id),
    Projection(SagaLogEntry, told, events=(SagaAdvanced,), key=_entry_id),
)
