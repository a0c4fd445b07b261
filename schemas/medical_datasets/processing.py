"""Processing: datasets, one of each packet."""

from typing import Annotated
from uuid import UUID

from schemas.medical_datasets.parts import Packet
from schemas.message import COMMAND_ID, Command, Event
from schemas.sensitive import Encrypted, Sensitive
from schemas.values.text import Identifier


class CreateDataset(Command, subject=COMMAND_ID):
    """Makes a dataset of a packet. A packet has one: the packet of another request with its id changes nothing."""

    packet_id: Identifier
    record_id: Annotated[str | None, Sensitive(max_length=500)] = None
    packet: Packet


class BuildDataset(Command, internal=True):
    """Makes the dataset of a request's Parquet file."""

    saga_id: UUID
    token: UUID | None
    packet: Packet
    is_failing: bool = False
    """Whether it fails on purpose."""


class RollbackProcessing(Command, internal=True):
    """Gives up the dataset of a request that failed later."""

    saga_id: UUID


class ProcessingStarted(Event):
    """A dataset is being made."""

    packet_id: str
    saga_id: UUID | None


class DatasetCreated(Event):
    """A dataset was made."""

    packet_id: str
    saga_id: UUID | None
    token: UUID | None
    record_id: Encrypted
    packet: Packet


class ProcessingFailed(Event):
    """No dataset was made."""

    packet_id: str
    saga_id: UUID | None
    reason: str


class ProcessingRolledBack(Event):
    """The dataset of a request that failed later was given up."""

    packet_id: str
    saga_id: UUID


COMMANDS = (CreateDataset, BuildDataset, RollbackProcessing)
EVENTS = (ProcessingStarted, DatasetCreated, ProcessingFailed, ProcessingRolledBack)
