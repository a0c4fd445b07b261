"""Ingestion: a delivery is stored as it came, and announced."""

from uuid import UUID

from aggregates.data_ingestion.ingestion import DECISIONS
from aggregates.scenario import FIRST_ID, Scenario
from schemas.data_ingestion.ingestion import DataIngested, DataReceived, ReceiveData
from schemas.errors import AlreadyExists

PAYLOAD = {"name": "Example Data", "age": 30}
COMMAND = ReceiveData(partner_id="acme", payload=PAYLOAD)
RECEIVED = DataReceived(data_id=FIRST_ID, partner_id="acme", payload=PAYLOAD)
INGESTED = DataIngested(data_id=FIRST_ID, partner_id="acme", payload=PAYLOAD)


def test_a_delivery_is_received_and_then_ingested() -> None:
    scenario = Scenario(DECISIONS).when(COMMAND)

    scenario.then(RECEIVED, INGESTED)
    assert scenario.streams == (f"delivery-{FIRST_ID}",)


def test_a_delivery_gets_its_id_from_its_command() -> None:
    other = UUID("01940000-0000-7000-8000-0000000000ff")

    scenario = Scenario(DECISIONS).when(COMMAND).when(COMMAND, id=other)

    assert scenario.streams == (f"delivery-{other}",)


def test_the_same_delivery_is_not_received_twice() -> None:
    Scenario(DECISIONS).given(f"delivery-{FIRST_ID}", RECEIVED, INGESTED).when(COMMAND).then_rejected(AlreadyExists)
