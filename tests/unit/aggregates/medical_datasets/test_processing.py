"""Datasets: one of each packet."""

import pytest

from aggregates.medical_datasets.processing import DECISIONS, SIMULATED
from aggregates.scenario import Scenario
from schemas.medical_datasets.processing import (
    BuildDataset,
    CreateDataset,
    DatasetCreated,
    ProcessingFailed,
    ProcessingRolledBack,
    ProcessingStarted,
    RollbackProcessing,
)
from schemas.message import Command, Event
from tests.unit.aggregates.medical_datasets.packets import ID, PACKET, TOKEN

OF_SAGA = {"packet_id": str(ID), "saga_id": ID}
STARTED = ProcessingStarted(**OF_SAGA)
CREATED = DatasetCreated(**OF_SAGA, token=TOKEN, record_id=None, packet=PACKET)
FAILED = ProcessingFailed(**OF_SAGA, reason=SIMULATED)
ROLLED_BACK = ProcessingRolledBack(**OF_SAGA)
BUILD = BuildDataset(saga_id=ID, token=TOKEN, packet=PACKET)
ROLL_BACK = RollbackProcessing(saga_id=ID)


def test_a_packet_of_a_client_becomes_a_dataset_once() -> None:
    command = CreateDataset(packet_id="p-1", record_id="encrypted:1:a:1", packet=PACKET)
    of_client = {"packet_id": "p-1", "saga_id": None}
    events = (
        ProcessingStarted(**of_client),
        DatasetCreated(**of_client, token=None, record_id="encrypted:1:a:1", packet=PACKET),
    )

    Scenario(DECISIONS).when(command).then(*events)
    Scenario(DECISIONS).given("dataset-p-1", *events).when(command).then()


BY_HAND = DatasetCreated(packet_id=str(ID), saga_id=None, token=None, record_id=None, packet=PACKET)


@pytest.mark.parametrize(
    ("before", "command", "events"),
    [
        ((BY_HAND,), BUILD, (STARTED, CREATED)),
        ((BY_HAND,), ROLL_BACK, ()),
        ((), BUILD, (STARTED, CREATED)),
        ((), BUILD.model_copy(update={"is_failing": True}), (STARTED, FAILED)),
        ((STARTED, CREATED), BUILD, ()),
        ((STARTED, FAILED), BUILD, ()),
        ((STARTED, CREATED), ROLL_BACK, (ROLLED_BACK,)),
        ((STARTED, CREATED, ROLLED_BACK), ROLL_BACK, ()),
        ((STARTED, FAILED), ROLL_BACK, ()),
        ((), ROLL_BACK, ()),
    ],
)
def test_that_of_a_request_goes_from_status_to_status_once(
    before: tuple[Event, ...], command: Command, events: tuple[Event, ...]
) -> None:
    Scenario(DECISIONS).given(f"dataset-{ID}", *before).when(command).then(*events)
