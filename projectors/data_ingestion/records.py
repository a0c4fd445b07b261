"""Records: one row for each delivery. Three contexts report about it, in any order."""

from typing import Any

from projectors.projection import Projection
from schemas.data_ingestion.ingestion import DataIngested, DataReceived
from schemas.data_ingestion.processing import DataProcessed
from schemas.data_ingestion.records import Records
from schemas.data_ingestion.validation import DataValidated
from schemas.envelope import RecordedEvent


def record(row: Records, event: RecordedEvent[Any]) -> Records:
    at = event.recorded_at
    match event.data:
        case DataReceived(partner_id=partner_id, payload=payload):
            # Of this event alone: a delivery that was lost and sent again has steps with the correlation id of before.
            correlation_id = event.metadata.correlation_id
            return row.replace(partner_id=partner_id, payload=payload, correlation_id=correlation_id, received_at=at)
        case DataIngested():
            return row.replace(ingestion_status="ingested", ingested_at=at)
        case DataValidated(verdict=verdict, violations=violations, schema_revision=revision):
            found = [violation.model_dump() for violation in violations]
            return row.replace(validation_status=verdict, violations=found, schema_revision=revision, validated_at=at)
        case DataProcessed(results=results):
            return row.replace(
                processing_status="processed",
                results=results.model_dump(mode="json"),
                duplicate_of=results.duplicate_of,
                processed_at=at,
            )
    return row


PROJECTIONS = (Projection(Records, record, events=(DataReceived, DataIngested, DataValidated, DataProcessed)),)
