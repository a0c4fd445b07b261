"""Data ingestion on the write side: its own path, and the validation, which depends on what partners send."""

from command_api.data_ingestion.validation import ACTIVITIES
from command_api.http.paths import KEY, CommandPath
from schemas.data_ingestion.ingestion import ReceiveData

PATHS = (CommandPath("/ingest", ReceiveData, answer={"data_id": KEY}),)

__all__ = ("ACTIVITIES", "PATHS")
