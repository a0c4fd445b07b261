"""Packets as Parquet files."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.medical_datasets.mapping import MappingFailed, MappingRolledBack, MappingStarted, ParquetMapped
from schemas.medical_datasets.views import Parquets


def parquet(row: Parquets, event: RecordedEvent[Any]) -> Parquets:
    match event.data:
        case MappingStarted(token=token, packet=packet):
            return row.replace(token=token, packet=packet.model_dump(mode="json"))
        case ParquetMapped(file=file):
            return row.replace(status="mapped", file=file.model_dump(mode="json"), mapped_at=event.recorded_at)
        case MappingFailed(reason=reason):
            return row.replace(status="failed", reason=reason)
        case MappingRolledBack():
            return row.replace(status="rolled_back", file=None)
    return row


PROJECTIONS = (
    Projection(
        Parquets,
        parquet,
        events=(MappingStarted, ParquetMapped, MappingFailed, MappingRolledBack),
        key=lambda event: event.data.saga_id,
    ),
)
