"""Data ingestion on the write side: its own path, and the validation, which depends on what partners send."""

from command_api.data_ingestion.validation import ACTIVITIES
from command_api.http.paths import KEY, RECORDED_AT, CommandPath, Member
from schemas.data_ingestion.dialect import DIALECT
from schemas.data_ingestion.ingestion import ReceiveData

PATHS = (
    CommandPath(
        "/ingest",
        ReceiveData,
        answer={"id": KEY, "data_id": KEY, "partner_id": Member("partner_id"), "timestamp": RECORDED_AT},
        errors=DIALECT,
    ),
)

__all__ = ("ACTIVITIES", "PATHS")
