"""Data ingestion's own path for commands."""

from collections.abc import Mapping, Sequence
from typing import Any

from command_api.http.routes import CommandRoute
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import Receipt
from schemas.message import Event


def data_id(receipt: Receipt, _: Sequence[Event]) -> Mapping[str, Any]:
    """The id under which a delivery can be queried."""
    return {"data_id": receipt.key}


ROUTES = (CommandRoute("/ingest", ReceiveData, data_id),)
