"""Avro: the schemas of records, and their bytes in the form that schema registries define.

The bytes are ``0x00``, the schema's id in four bytes, and the record (the wire format of Confluent's clients)::

    EventoPartnerCreado      the envelope, version 1: id, time, ingestion, specversion, type, datacontenttype, service_name
      data: …Payload         the record's own fields
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from schemas.errors import Malformed
from schemas.integration import Record

VERSION, CONTENT_TYPE = "v1", "AVRO"
_MAGIC = 0
_HEAD_BYTES = 5
_ENVELOPE: Mapping[str, str] = {
    "id": "string",
    "time": "long",
    "ingestion": "long",
    "specversion": "string",
    "type": "string",
    "datacontenttype": "string",
    "service_name": "string",
}


def schema_of(record: Record) -> str:
    """Returns the schema of a record as JSON text; with a service it is an envelope with the record's fields as ``data``."""
    if record.service is None:
        made = _record(record.full_name, record.fields)
    else:
        payload = _record(f"{record.full_name}Payload", record.fields)
        made = _record(record.full_name, {**_ENVELOPE, "data": payload})
    return orjson.dumps(made).decode()


def enveloped(record: Record, fields: Mapping[str, Any], id: UUID, at: datetime, type: str | None = None) -> Mapping[str, Any]:
    """Returns the values of a record's schema; the ``type`` in the envelope is the record's name if none is given.

    ``time`` and ``ingestion`` are equal, so that a repeat has the same bytes.
    """
    if record.service is None:
        return fields
    ms = int(at.timestamp() * 1000)
    return {
        "id": str(id),
        "time": ms,
        "ingestion": ms,
        "specversion": VERSION,
        "type": type or record.name,
        "datacontenttype": CONTENT_TYPE,
        "service_name": record.service,
        "data": fields,
    }


def encode(schema: str, id: int, values: Mapping[str, Any], *, is_strict: bool = True) -> bytes:
    """Returns the bytes of values by a schema with an id; raises `ValueError` or `TypeError` for others than it allows.

    Without ``is_strict``, fields that the schema does not have are left out.
    """
    out = BytesIO()
    out.write(bytes((_MAGIC,)) + id.to_bytes(4, "big"))
    schemaless_writer(out, _parsed(schema), values, strict_allow_default=is_strict)
    return out.getvalue()


def schema_id(value: bytes) -> int:
    """Returns the id of the schema of a record's bytes; raises `Malformed`."""
    if len(value) < _HEAD_BYTES or value[0] != _MAGIC:
        raise Malformed("the record does not begin with the id of a schema")
    return int.from_bytes(value[1:_HEAD_BYTES], "big")


def decode(schema: str, value: bytes, reader: str | None = None) -> Any:
    """Returns the values in a record's bytes, by the schema that its id names, as a reader's schema has them.

    Raises `Malformed`.
    """
    return _read(schema, value, _HEAD_BYTES, reader)


def decode_plain(schema: str, value: bytes) -> Any:
    """Returns the values in bytes without the id of a schema; raises `Malformed`."""
    return _read(schema, value, 0, None)


def _read(schema: str, value: bytes, begin: int, reader: str | None) -> Any:
    source = BytesIO(value)
    source.seek(begin)
    try:
        values = schemaless_reader(source, _parsed(schema), None if reader is None else _parsed(reader))
    except Exception as error:  # the library raises many kinds of errors
        raise Malformed(f"the record does not fit its schema: {_why(error)}") from error
    if source.read(1):
        raise Malformed("the record is longer than its schema says")
    return values


def _why(error: Exception) -> str:
    """Returns a reason without the library's own values, which may be a whole schema."""
    match error:
        case EOFError():
            return "it ends too early"
        case SchemaResolutionError():
            return "the schema that it names is not that of the topic"
        case UnicodeDecodeError():
            return "a text in it is not UTF-8"
    return "it is no record of Avro by this schema"


def readable_with(new: str, old: str, values: Any) -> Any:
    """Returns values that were written with an old schema as the new one reads them; raises `Malformed` if it cannot."""
    written = BytesIO()
    schemaless_writer(written, _parsed(old), values)
    written.seek(0)
    try:
        return schemaless_reader(written, _parsed(old), _parsed(new))
    except SchemaResolutionError as error:
        raise Malformed(str(error)) from error


def _record(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    members = [{"name": field, "type": ["null", _type(type)], "default": None} for field, type in fields.items()]
    return {"type": "record", "name": name, "fields": members}


def _type(declared: Any) -> Any:
    if isinstance(declared, Record):
        return _record(declared.full_name, declared.fields)
    if isinstance(declared, list):
        (inner,) = declared
        return {"type": "array", "items": _type(inner)}
    return declared


@cache
def _parsed(schema: str) -> Any:
    return parse_schema(orjson.loads(schema))
