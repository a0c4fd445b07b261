"""Ingestion: a delivery is stored before anything else happens to it."""

from uuid import UUID

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from schemas.data_ingestion.ingestion import DataIngested, DataReceived, ReceiveData
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists
from schemas.message import Event


class Delivery(Aggregate):
    """One delivery of a partner."""

    category = "delivery"

    def evolve(self, event: Event) -> None:
        """Being there is all its state: nothing else is decided about a delivery here."""


def receive_data(issued: CommandEnvelope[ReceiveData], delivery: Delivery) -> None:
    """Stores the delivery as it came, then announces it. Its id is its command's, so that a repeat is recognised."""
    if not delivery.is_new:
        raise AlreadyExists(f"the delivery {delivery.key} was received before")
    data_id, command = UUID(delivery.key), issued.data
    delivery.record(DataReceived(data_id=data_id, partner_id=command.partner_id, payload=command.payload))
    delivery.record(DataIngested(data_id=data_id, partner_id=command.partner_id, payload=command.payload))


AGGREGATES = (Delivery,)
DECISIONS = (Decision(ReceiveData, lambda issued: (Ref(Delivery, str(issued.id)),), receive_data, creates=True),)
