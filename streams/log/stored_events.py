"""Stored events: events encoded for the log, as they are stored, and decoded to their published classes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from asyncpg.pgproto.pgproto import UUID  # the driver's subclass of `uuid.UUID`, which is made in a tenth of the time
from uuid_utils import uuid7

from schemas.catalog import Catalog
from schemas.envelope import Metadata, RecordedEvent
from schemas.errors import Damaged, Misconfigured, TooLarge
from schemas.message import Event
from schemas.system import ContextName

MAX_RECORD_BYTES = 9 * 1024 * 1024
"""Largest record of a topic by the default settings."""
ENVELOPE_BYTES = 16 * 1024
"""Room in a record beside an event's data: for its key, its headers and its batch, whose texts are limited."""


class EventData(NamedTuple):
    """An event that is to be appended, encoded."""

    id: str
    """UUIDv7"""
    type: str
    schema_version: int
    data: str
    """JSON text"""


class StoredEvent(NamedTuple):
    """One stored event, not decoded; ``data`` and ``metadata`` are JSON text. The queries' columns are its fields, in order."""

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
    def of(cls, record: Mapping[str, Any]) -> "StoredEvent":
        """Returns the event in a row whose columns are these fields, in order."""
        return cls(*record.values())


def encode(event: Event) -> EventData:
    """Returns an event encoded for the log, with a new id."""
    return EventData(str(uuid7()), event.message_name, event.schema_version, event.model_dump_json())


def check_publishable(event: EventData, max_record_bytes: int) -> None:
    """Raises `TooLarge` for an event whose record its topic would not accept: it would hold up its partition for ever."""
    size = len(event.data.encode()) + ENVELOPE_BYTES
    if size > max_record_bytes:
        raise TooLarge(
            f"the event {event.type} would have {size} bytes with its headers, more than the {max_record_bytes} of a record:"
            " send less at once"
        )


def decode(row: StoredEvent, context: ContextName, catalog: Catalog) -> RecordedEvent[Event]:
    """Returns the event in a row, upcast to the current schema version; raises `Misconfigured` if no installed code can."""
    try:
        event = catalog.read_event(context, row.type, row.schema_version, row.data)
    except Misconfigured as error:
        raise Misconfigured(f"position {row.position}: {error.detail}") from error
    return RecordedEvent(
        data=event,
        id=row.id,
        stream=row.stream,
        version=row.version,
        position=row.position,
        recorded_at=row.recorded_at,
        metadata=decode_metadata(row.metadata),
    )


def check_versions(rows: Sequence[StoredEvent], after: int) -> None:
    """Raises `Damaged` if events of one stream, in order, do not follow its version ``after`` without a gap."""
    if rows and rows[-1].version != after + len(rows):
        raise Damaged(f"the stream {rows[0].stream!r} lacks events after version {after}: run `caudal verify log`")


def encode_metadata(metadata: Metadata) -> str:
    """Returns metadata as JSON, without the fields that are not known."""
    known = {"command_id": str(metadata.command_id)}
    if metadata.command is not None:
        known["command"] = metadata.command
    known["correlation_id"] = metadata.correlation_id
    if metadata.causation_id is not None:
        known["causation_id"] = metadata.causation_id
    if metadata.actor is not None:
        known["actor"] = metadata.actor
    if metadata.traceparent is not None:
        known["traceparent"] = metadata.traceparent
    return orjson.dumps(known).decode()


def decode_metadata(text: str | bytes) -> Metadata:
    """Returns metadata from its JSON."""
    fields = orjson.loads(text)
    fields["command_id"] = UUID(fields["command_id"])
    return Metadata(**fields)
