"""The view of deliveries: one row has everything that is known of a delivery."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from schemas.view import View


class Records(
    View,
    context="ingestion",
    key="data_id",
    indexes=(("partner_id", "data_id"), "received_at", "validation_status", "processing_status"),
):
    """One delivery. Its columns are filled by the events of each context, in any order."""

    data_id: UUID
    partner_id: str | None = None
    payload: dict[str, JsonValue] | None = None
    ingestion_status: Literal["pending", "ingested"] = "pending"
    validation_status: Literal["pending", "valid", "invalid"] = "pending"
    processing_status: Literal["pending", "processed"] = "pending"
    violations: list[JsonValue] | None = None
    schema_revision: int | None = None
    results: dict[str, JsonValue] | None = None
    duplicate_of: UUID | None = None
    correlation_id: str | None = None
    received_at: datetime | None = None
    ingested_at: datetime | None = None
    validated_at: datetime | None = None
    processed_at: datetime | None = None


VIEWS = (Records,)
