"""Mapping: what is known of an image becomes a Parquet file."""

from uuid import UUID

from pydantic import Field

from schemas.medical_datasets.parts import Packet, Reason
from schemas.message import Command, Event
from schemas.values.dicom import DicomFile
from schemas.values.files import DeletedFile, KeptFile


class CreateParquet(Command):
    """Writes a packet that is anonymous already as a Parquet file, of which a dataset is then made."""

    token: UUID | None = None
    packet: Packet


class MapPacket(Command, internal=True):
    """Writes the packet of a request as a Parquet file."""

    saga_id: UUID
    token: UUID | None
    packet: Packet
    image: DicomFile | None


class RecordParquet(Command, internal=True):
    """Records a Parquet file."""

    saga_id: UUID | None = Field(description="Null: the id of the command.")
    token: UUID | None
    packet: Packet
    file: KeptFile


class FailMapping(Command, internal=True):
    """Records why no Parquet file was written."""

    saga_id: UUID | None = Field(description="Null: the id of the command.")
    token: UUID | None
    packet: Packet
    reason: Reason


class RollbackMapping(Command, internal=True):
    """Deletes the Parquet file of a request that failed later."""

    saga_id: UUID


class MappingStarted(Event):
    """A packet is being mapped."""

    saga_id: UUID
    token: UUID | None
    packet: Packet


class ParquetMapped(Event):
    """A packet is kept as a Parquet file."""

    saga_id: UUID
    token: UUID | None
    packet: Packet
    file: KeptFile


class MappingFailed(Event):
    """No Parquet file was written."""

    saga_id: UUID
    reason: str


class MappingRolledBack(Event):
    """The Parquet file of a request that failed later was deleted."""

    saga_id: UUID
    file: DeletedFile


COMMANDS = (CreateParquet, MapPacket, RecordParquet, FailMapping, RollbackMapping)
EVENTS = (MappingStarted, ParquetMapped, MappingFailed, MappingRolledBack)
