"""The hash chain of a log. ``sql/log/0003_append.sql`` writes it, everything else recomputes it (ADR 0007)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.log.stored_events import StoredEvent

BEGIN = b""
"""The hash before the first event."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Link:
    """An event and the hash that is stored with it."""

    row: StoredEvent
    hash: bytes

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Link":
        """Returns the link in a row whose columns are those of a stored event, and its hash."""
        *columns, digest = record.values()
        return cls(StoredEvent(*columns), digest)


def content_hash(row: StoredEvent) -> bytes:
    """Returns the SHA-256 of an event's columns, a line each; the time is in microseconds since 1970."""
    return hashlib.sha256(
        f"{row.position}\n{row.stream}\n{row.version}\n{row.id}\n{row.type}\n{row.schema_version}\n{row.partition}\n"
        f"{row.previous}\n{(row.recorded_at - _EPOCH) // _MICROSECOND}\n{_text(row.data)}\n{_text(row.metadata)}".encode()
    ).digest()


def linked(previous: bytes, content: bytes) -> bytes:
    """Returns the hash of an event: the SHA-256 of its predecessor's hash and its own content's hash."""
    return hashlib.sha256(previous + content).digest()


def _text(json: str | bytes) -> str:
    return json if isinstance(json, str) else json.decode()
