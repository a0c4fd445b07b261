"""Records: stored events and commands as CloudEvents in Kafka's binary mode, which any consumer can read.

The CloudEvents specification and its Kafka binding (1.0.2) define the ``ce_`` headers. Caudal's own extensions are
``position`` and ``previous`` (the event's position, and that of the event before it in its partition), ``streamversion``,
``schemaversion``, ``correlationid``, ``causationid``, ``commandid``, ``command``, ``actor``, ``traceparent``,
``backfilled``, and ``timeline`` if the log went back (`streams.log.timelines`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import orjson
from asyncpg.pgproto.pgproto import UUID

from schemas.envelope import CommandEnvelope
from schemas.errors import Malformed
from schemas.message import Command
from schemas.system import ContextName
from schemas.values.literals import LARGEST, read_integer
from schemas.values.text import without_control_characters
from schemas.values.times import parse_moment
from streams.log.stored_events import StoredEvent
from streams.log.timelines import FIRST

Headers = Sequence[tuple[str, bytes]]

BACKFILLED = ("ce_backfilled", b"true")
"""Header of an event that was published again because the topic had lost or altered it."""

TIMELINE = "ce_timeline"
"""Name of the header with the timeline of an event, if it is not the first (`streams.log.timelines`)."""
_JSON = b"application/json"
_MAX_TEXT_BYTES = 200
_LARGEST_INT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be produced."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class IncomingCommand:
    """A command record, decoded but not validated yet."""

    type: str
    """``system.command``"""
    id: UUID
    idempotency_key: str | None
    """Replaces the id if it is given, as the header of that name does over HTTP."""
    value: bytes
    at: datetime | None
    correlation_id: str
    causation_id: str | None
    actor: str | None
    traceparent: str | None
    policy: str | None
    """The policy that sent it."""


def timeline_headers(number: int) -> Headers:
    """Returns the header that names a timeline; none for the first."""
    return () if number == FIRST else [(TIMELINE, str(number).encode())]


def timeline_of(record: Any) -> int:
    """Returns the timeline of an event's record; raises `Malformed` if its header is no number."""
    given = dict(record.headers).get(TIMELINE)
    if given is None:
        return FIRST
    try:
        return _number(given, _LARGEST_INT)
    except (ValueError, AttributeError) as error:
        raise Malformed(f"{place_of(record)} has no timeline: {_why(error)}") from error


def encode_event(row: StoredEvent, context: ContextName) -> Outgoing:
    """Returns the record of a stored event, which depends on the event alone."""
    metadata = orjson.loads(row.metadata)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(row.id).encode()),
        _source(context),
        ("ce_type", _type(context.system, row.type)),
        ("ce_subject", row.stream.encode()),
        ("ce_time", row.recorded_at.isoformat().encode()),
        ("ce_position", b"%d" % row.position),
        ("ce_previous", b"%d" % row.previous),
        ("ce_streamversion", b"%d" % row.version),
        ("ce_schemaversion", b"%d" % row.schema_version),
        ("content-type", _JSON),
    ]
    headers += [(_extension(name), value.encode()) for name, value in metadata.items()]
    return Outgoing(row.stream.encode(), _bytes(row.data), headers, int(row.recorded_at.timestamp() * 1000))


@cache
def _source(context: ContextName) -> tuple[str, bytes]:
    return ("ce_source", source_of(context))


def source_of(context: ContextName) -> bytes:
    """Returns the ``ce_source`` of the records of a context's events."""
    return f"/caudal/{context.system}/{context.context}".encode()


@cache
def _extension(name: str) -> str:
    return f"ce_{name.replace('_', '')}"


def decode_event(record: Any) -> StoredEvent:
    """Returns the stored event in a record; raises `Malformed` if the record is not an event of Caudal.

    ``ce_time`` needs its offset (RFC 3339), as CloudEvents requires.
    """
    try:
        h = dict(record.headers)
        metadata = {
            name: h[header].decode()
            for name, header in (
                ("command_id", "ce_commandid"),
                ("command", "ce_command"),
                ("correlation_id", "ce_correlationid"),
                ("causation_id", "ce_causationid"),
                ("actor", "ce_actor"),
                ("traceparent", "ce_traceparent"),
            )
            if header in h
        }
        return StoredEvent(
            position=_number(h["ce_position"]),
            stream=h["ce_subject"].decode(),
            version=_number(h["ce_streamversion"], _LARGEST_INT),
            id=UUID(h["ce_id"].decode()),
            type=_event_name(h["ce_type"], h["ce_source"]),
            schema_version=_number(h["ce_schemaversion"], _LARGEST_INT),
            partition=record.partition,
            previous=_number(h["ce_previous"]),
            recorded_at=parse_moment(h["ce_time"].decode()),
            data=record.value,
            metadata=orjson.dumps(metadata),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Malformed(f"{place_of(record)} is not an event of Caudal: {_why(error)}") from error


@lru_cache(maxsize=10_000)
def _type(system: str, name: str) -> bytes:
    return f"{system}.{name}".encode()


@lru_cache(maxsize=10_000)
def _event_name(type: bytes, source: bytes) -> str:
    system, dot, name = type.decode().partition(".")
    if not dot or not source.decode().startswith(f"/caudal/{system}/"):
        raise ValueError(f"the type {type.decode()} is not one of {source.decode()}")
    return name


def encode_command(command: CommandEnvelope[Command], system: str, key: str) -> Outgoing:
    """Returns the record of a command; records with the same key keep their order."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(command.id).encode()),
        ("ce_source", f"/caudal/{system}".encode()),
        ("ce_type", f"{system}.{command.data.message_name}".encode()),
        ("ce_time", command.at.isoformat().encode()),
        ("ce_correlationid", command.correlation_id.encode()),
        ("content-type", _JSON),
    ]
    for name, text in (
        ("ce_causationid", command.causation_id),
        ("ce_actor", command.actor),
        ("ce_traceparent", command.traceparent),
        ("ce_policy", command.policy),
    ):
        if text is not None:
            headers.append((name, text.encode()))
    value = command.data.model_dump_json().encode()
    return Outgoing(key.encode(), value, headers, int(command.at.timestamp() * 1000))


def decode_command(record: Any) -> IncomingCommand:
    """Returns the parts of a command record; raises `Malformed` if its headers are not those of a command.

    ``ce_time`` may be missing. If it is given, it needs its offset (RFC 3339), as CloudEvents requires.
    """
    try:
        h = dict(record.headers)
        return IncomingCommand(
            type=h["ce_type"].decode(),
            id=UUID(h["ce_id"].decode()),
            idempotency_key=_text(h, "ce_idempotencykey"),
            value=record.value or b"",
            at=parse_moment(h["ce_time"].decode()) if "ce_time" in h else None,
            correlation_id=_text(h, "ce_correlationid") or h["ce_id"].decode(),
            causation_id=_text(h, "ce_causationid"),
            actor=_text(h, "ce_actor"),
            traceparent=_text(h, "ce_traceparent"),
            policy=_text(h, "ce_policy"),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Malformed(f"{place_of(record)} is not a command: {_why(error)}") from error


def _number(header: bytes, largest: int = LARGEST) -> int:
    return read_integer(header.decode(), 0, largest)


def _text(headers: dict[str, bytes], name: str) -> str | None:
    value = headers.get(name)
    if value is None:
        return None
    if not 0 < len(value) <= _MAX_TEXT_BYTES:
        raise ValueError(f"{name} has {len(value)} bytes")
    return without_control_characters(value.decode())


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def place_of(record: Any) -> str:
    """Returns the place of a record: ``topic/partition@offset``."""
    return f"{record.topic}/{record.partition}@{record.offset}"


def _why(error: Exception) -> str:
    return f"the header {error} is missing" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
