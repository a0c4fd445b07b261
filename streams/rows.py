"""Rows of a log: an event as it is stored, and how it becomes the published class again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from schemas.catalog import Catalog, ContextName
from schemas.envelope import Metadata, Recorded
from schemas.errors import Misconfigured
from schemas.message import Event


@dataclass(frozen=True, slots=True)
class Row:
    """One stored event, undecoded; ``data`` and ``metadata`` are JSON text."""

    position: int
    stream: str
    version: int
    id: UUID
    type: str
    schema_version: int
    partition: int
    previous: int
    """Position of the event before it in its partition of the topic; 0 for none."""
    recorded_at: datetime
    data: str | bytes
    metadata: str | bytes

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Row":
        return cls(*record.values())


def decode(row: Row, context: ContextName, catalog: Catalog) -> Recorded[Event]:
    """The event in a row; raises `Misconfigured` where the installed code cannot read it."""
    event_class = catalog.event(context, row.type)
    if row.schema_version != event_class.schema_version:
        raise Misconfigured(
            f"{row.type} at position {row.position} of {context} has schema version {row.schema_version}, "
            f"the installed code reads {event_class.schema_version}"
        )
    return Recorded(
        event=event_class.model_validate_json(row.data),
        id=row.id,
        stream=row.stream,
        version=row.version,
        position=row.position,
        recorded_at=row.recorded_at,
        metadata=decode_metadata(row.metadata),
    )


def encode_metadata(metadata: Metadata) -> str:
    """Metadata as JSON, without what is not known."""
    known = {
        "command_id": str(metadata.command_id),
        "correlation_id": metadata.correlation_id,
        "causation_id": metadata.causation_id,
        "actor": metadata.actor,
        "traceparent": metadata.traceparent,
    }
    return orjson.dumps({key: value for key, value in known.items() if value is not None}).decode()


def decode_metadata(text: str | bytes) -> Metadata:
    """Metadata from its JSON."""
    fields = orjson.loads(text)
    fields["command_id"] = UUID(fields["command_id"])
    return Metadata(**fields)
