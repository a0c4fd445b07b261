"""Datasets."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.medical_datasets.processing import (
    DatasetCreated,
    ProcessingFailed,
    ProcessingRolledBack,
    ProcessingStarted,
)
from schemas.medical_datasets.views import Datasets


def dataset(row: Datasets, event: RecordedEvent[Any]) -> Datasets:
    match event.data:
        case ProcessingStarted(saga_id=saga_id):
            return row.replace(saga_id=saga_id, status="in_progress")
        case DatasetCreated() as created:
            return row.replace(
                subject=event.metadata.command_id,
                token=created.token,
                record_id=created.record_id,
                packet=created.packet.model_dump(mode="json"),
                status="finished",
                created_at=event.recorded_at,
            )
        case ProcessingFailed(reason=reason):
            return row.replace(status="failed", reason=reason)
        case ProcessingRolledBack():
            return row.replace(status="rolled_back")
    return row


PROJECTIONS = (
    Projection(Datasets, dataset, events=(ProcessingStarted, DatasetCreated, ProcessingFailed, ProcessingRolledBack)),
)
