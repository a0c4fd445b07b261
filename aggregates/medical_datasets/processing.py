"""Processing: a dataset of each packet."""

from typing import Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.medical_datasets.processing import (
    BuildDataset,
    CreateDataset,
    DatasetCreated,
    ProcessingFailed,
    ProcessingRolledBack,
    ProcessingStarted,
    RollbackProcessing,
)
from schemas.message import Event

SIMULATED = "fallo simulado"


class MedicalDataset(State):
    """A dataset, if it was made."""

    status: Literal["none", "created", "failed", "rolled_back"] = "none"
    saga_id: UUID | None = None


def evolve(dataset: MedicalDataset, event: Event) -> MedicalDataset:
    match event:
        case DatasetCreated(saga_id=saga_id):
            return MedicalDataset(status="created", saga_id=saga_id)
        case ProcessingFailed(saga_id=saga_id):
            return MedicalDataset(status="failed", saga_id=saga_id)
        case ProcessingRolledBack(saga_id=saga_id):
            return MedicalDataset(status="rolled_back", saga_id=saga_id)
    return dataset


DATASET = Stream("dataset", MedicalDataset, evolve)


def create(command: CommandEnvelope[CreateDataset], dataset: MedicalDataset) -> Events:
    """Makes the dataset of a packet, unless it has one."""
    if dataset.status == "none":
        data, id = command.data, command.data.packet_id
        yield ProcessingStarted(packet_id=id, saga_id=None)
        yield DatasetCreated(packet_id=id, saga_id=None, token=None, record_id=data.record_id, packet=data.packet)


def build(command: CommandEnvelope[BuildDataset], dataset: MedicalDataset) -> Events:
    """Makes the dataset of a request, once, or records that it failed on purpose.

    It takes the place of one that a client made under the request's id.
    """
    if dataset.saga_id != command.data.saga_id:
        data, id = command.data, str(command.data.saga_id)
        yield ProcessingStarted(packet_id=id, saga_id=data.saga_id)
        if data.is_failing:
            yield ProcessingFailed(packet_id=id, saga_id=data.saga_id, reason=SIMULATED)
        else:
            yield DatasetCreated(packet_id=id, saga_id=data.saga_id, token=data.token, record_id=None, packet=data.packet)


def roll_back(command: CommandEnvelope[RollbackProcessing], dataset: MedicalDataset) -> Events:
    """Records once that the dataset was given up; nothing if there is nothing to compensate."""
    if dataset.status == "created" and dataset.saga_id == command.data.saga_id:
        yield ProcessingRolledBack(packet_id=str(command.data.saga_id), saga_id=command.data.saga_id)


DECISIONS: Decisions = (
    Decision(CreateDataset, DATASET.create_or_change("packet_id", usually_new=True), create),
    Decision(BuildDataset, DATASET.create_or_change("saga_id", usually_new=True), build),
    Decision(RollbackProcessing, DATASET.create_or_change("saga_id"), roll_back),
)
