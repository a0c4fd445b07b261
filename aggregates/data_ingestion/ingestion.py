"""Ingestion: a delivery is stored before anything else happens to it."""

from aggregates.decision import Decision, Events
from aggregates.stream import Stream
from schemas.data_ingestion.ingestion import DataIngested, DataReceived, ReceiveData
from schemas.envelope import CommandEnvelope

DELIVERY = Stream("delivery")


def receive_data(command: CommandEnvelope[ReceiveData]) -> Events:
    """Stores the delivery unchanged, then announces it. Its id is that of its command, so that a repeat is recognised."""
    data = command.data
    yield DataReceived(data_id=command.id, partner_id=data.partner_id, payload=data.payload)
    yield DataIngested(data_id=command.id, partner_id=data.partner_id, payload=data.payload)


DECISIONS = (Decision(ReceiveData, DELIVERY.create(), receive_data),)
