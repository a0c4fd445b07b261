"""Records: one row for each delivery, filled by three contexts in whatever order they report."""

from typing import Any

from projectors.projection import Fold, Projection
from schemas.data_ingestion.ingestion import DataIngested, DataReceived
from schemas.data_ingestion.processing import DataProcessed
from schemas.data_ingestion.records import Record
from schemas.data_ingestion.validation import DataValidated
from schemas.envelope import RecordedEvent


def received(row: Record | None, recorded: RecordedEvent[DataReceived]) -> Record:
    data = recorded.data
    return _changed(row, recorded, partner_id=data.partner_id, payload=data.payload, received_at=recorded.recorded_at)


def ingested(row: Record | None, recorded: RecordedEvent[DataIngested]) -> Record:
    return _changed(row, recorded, ingestion_status="ingested", ingested_at=recorded.recorded_at)


def validated(row: Record | None, recorded: RecordedEvent[DataValidated]) -> Record:
    verdict = recorded.data
    return _changed(
        row,
        recorded,
        validation_status=verdict.verdict,
        violations=[violation.model_dump() for violation in verdict.violations],
        schema_revision=verdict.schema_revision,
        validated_at=recorded.recorded_at,
    )


def processed(row: Record | None, recorded: RecordedEvent[DataProcessed]) -> Record:
    results = recorded.data.results
    return _changed(
        row,
        recorded,
        processing_status="processed",
        results=results.model_dump(mode="json"),
        duplicate_of=results.duplicate_of,
        processed_at=recorded.recorded_at,
    )


def _changed(row: Record | None, recorded: RecordedEvent[Any], **fields: object) -> Record:
    row = row or Record(data_id=recorded.data.data_id)
    return row.model_copy(update={"correlation_id": recorded.metadata.correlation_id, **fields})


def _data_id(recorded: RecordedEvent[Any]) -> object:
    return recorded.data.data_id


PROJECTIONS = (
    Projection(
        Record,
        {
            DataReceived: Fold(_data_id, received),
            DataIngested: Fold(_data_id, ingested),
            DataValidated: Fold(_data_id, validated),
            DataProcessed: Fold(_data_id, processed),
        },
    ),
)
