"""Ingestion: takes in what partners deliver, as it comes."""

from uuid import UUID

from pydantic import JsonValue

from schemas.message import Command, Event
from schemas.text import Identifier

Payload = dict[str, JsonValue]
"""Any JSON object; what it must look like is the partner's schema's business."""


class ReceiveData(Command):
    """Takes in one delivery of a partner."""

    partner_id: Identifier
    payload: Payload


class DataReceived(Event):
    """A delivery came in and is kept exactly as it came."""

    data_id: UUID
    partner_id: str
    payload: Payload


class DataIngested(Event):
    """A delivery is safely stored, and ready to be validated and processed."""

    data_id: UUID
    partner_id: str
    payload: Payload


COMMANDS = (ReceiveData,)
EVENTS = (DataReceived, DataIngested)
