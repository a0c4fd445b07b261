"""Mapping: a packet becomes a Parquet file, which a rollback deletes."""

from typing import Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.medical_datasets.mapping import (
    FailMapping,
    MappingFailed,
    MappingRolledBack,
    MappingStarted,
    ParquetMapped,
    RecordParquet,
    RollbackMapping,
)
from schemas.message import Event
from schemas.values.files import DeletedFile


class Parquet(State):
    """A packet on its way to being a Parquet file."""

    status: Literal["none", "mapped", "failed", "rolled_back"] = "none"


def evolve(parquet: Parquet, event: Event) -> Parquet:
    match event:
        case ParquetMapped():
            return Parquet(status="mapped")
        case MappingFailed():
            return Parquet(status="failed")
        case MappingRolledBack():
            return Parquet(status="rolled_back")
    return parquet


PARQUET = Stream("parquet", Parquet, evolve)


def record(command: CommandEnvelope[RecordParquet], parquet: Parquet) -> Events:
    """Records a Parquet file once."""
    if parquet.status == "none":
        data, id = command.data, parquet_id(command)
        yield MappingStarted(saga_id=id, token=data.token, packet=data.packet)
        yield ParquetMapped(saga_id=id, token=data.token, packet=data.packet, file=data.file)


def fail(command: CommandEnvelope[FailMapping], parquet: Parquet) -> Events:
    """Records why there is none."""
    if parquet.status == "none":
        data, id = command.data, parquet_id(command)
        yield MappingStarted(saga_id=id, token=data.token, packet=data.packet)
        yield MappingFailed(saga_id=id, reason=data.reason)


def roll_back(command: CommandEnvelope[RollbackMapping], parquet: Parquet) -> Events:
    """Records once that the file was deleted; nothing if there is nothing to compensate."""
    if parquet.status == "mapped":
        id = command.data.saga_id
        yield MappingRolledBack(saga_id=id, file=DeletedFile(key=parquet_key(id)))


def parquet_key(id: UUID) -> str:
    """Returns the place of a Parquet file."""
    return f"medical_datasets/parquet/{id}.parquet"


def parquet_id(command: CommandEnvelope[RecordParquet | FailMapping]) -> UUID:
    """Returns the id of a Parquet file: that of its saga, which is the command's own for one that a client sent."""
    return command.data.saga_id or command.id


def _id(command: CommandEnvelope[RecordParquet | FailMapping]) -> str:
    return str(parquet_id(command))


DECISIONS: Decisions = (
    Decision(RecordParquet, PARQUET.create_or_change(_id, usually_new=True), record),
    Decision(FailMapping, PARQUET.create_or_change(_id, usually_new=True), fail),
    Decision(RollbackMapping, PARQUET.create_or_change("saga_id"), roll_back),
)
