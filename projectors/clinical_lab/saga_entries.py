"""The log of the laboratory's sagas, as its clients know it: one row for each event of a saga."""

from projectors.projection import Projection
from schemas.clinical_lab.views import SagaEntries
from schemas.engine.sagas import SagaAdvanced, saga_of
from schemas.envelope import RecordedEvent
from schemas.sensitive import without_encrypted

SAGAS = frozenset({"clinical_lab.registration", "clinical_lab.result", "clinical_lab.reading", "clinical_lab.listing"})
"""Full names of the sagas whose events are shown; each event belongs to one of them."""


def saga_entry(row: SagaEntries, event: RecordedEvent[SagaAdvanced]) -> SagaEntries | None:
    step = event.data
    if step.saga not in SAGAS or step.input.kind != "event":
        return None
    if row.position == 0:
        row = row.replace(position=event.position, actor=event.metadata.actor, created_at=event.recorded_at)
    return row.replace(
        saga=step.saga,
        event_type=step.input.name,
        status=step.step_status,
        data=without_encrypted(step.input.data),
        reference_ids=tuple(step.references[name] for name in sorted(step.references)),
    )


def _entry_id(event: RecordedEvent[SagaAdvanced]) -> str:
    return f"{saga_of(event.stream)}/{event.data.input.id}"


PROJECTIONS = (Projection(SagaEntries, saga_entry, events=(SagaAdvanced,), key=_entry_id),)
