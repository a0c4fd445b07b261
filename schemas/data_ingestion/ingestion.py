"""Ingestion: receives the deliveries of partners, unchanged."""

from uuid import UUID

from pydantic import JsonValue

from schemas.message import Command, Event
from schemas.text import Identifier

Payload = dict[str, JsonValue]
"""Any JSON object. The partner's schema is checked later."""


class ReceiveData(Command):
    """Receives one delivery of a partner."""

    partner_id: Identifier
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
