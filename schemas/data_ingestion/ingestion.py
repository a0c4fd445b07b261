"""Ingestion: receives the deliveries of partners, unchanged."""

from uuid import UUID

from pydantic import ConfigDict, JsonValue

from schemas.message import Command, Event
from schemas.values.names import NaturalKey

Payload = dict[str, JsonValue]
"""Any JSON object. The partner's schema is checked later."""


class ReceiveData(Command):
    """Receives one delivery of a partner."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"partner_id": "partner123", "payload": {"name": "Example Data", "age": 30}}]}
    )

    partner_id: NaturalKey
    payload: Payload


class DataReceived(Event):
    """A delivery was received; it is stored unchanged."""

    data_id: UUID
    partner_id: str
    payload: Payload


class DataIngested(Event):
    """A delivery was stored; it can be validated and processed."""

    data_id: UUID
    partner_id: str
    payload: Payload


COMMANDS = (ReceiveData,)
EVENTS = (DataReceived, DataIngested)
