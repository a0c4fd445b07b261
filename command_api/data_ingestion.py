"""Data ingestion's own path for commands."""

from command_api.http.paths import KEY, CommandPath
from schemas.data_ingestion.ingestion import ReceiveData

PATHS = (CommandPath("/ingest", ReceiveData, answer={"data_id": KEY}),)
