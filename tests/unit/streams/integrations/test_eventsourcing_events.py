"""Events of the package `eventsourcing`: encoded for the log and back, byte for byte."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

from schemas.errors import Invalid, Misconfigured
from streams.integrations.eventsourcing_events import decoded, encoded, stream_of
from streams.log.stored_events import StoredEvent as LogEvent

AT = datetime(2026, 1, 1, tzinfo=UTC)


def logged(data: str | bytes) -> LogEvent:
    return LogEvent(9, "aggregate-1", 1, UUID(int=1), "topic", 1, 0, 0, AT, data, "{}")


@pytest.mark.parametrize("state", [b'{"b": 1,  "a": "\xc3\xb1"}', b"[]", b"", b"\xff\x00 compressed", b"not json"])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_state_comes_back_byte_for_byte(state: bytes, as_bytes: bool) -> None:
    event = encoded(StoredEvent(UUID(int=1), 4, "module:Class.Event", state))

    assert (event.type, orjson.loads(event.data)["originator_version"]) == ("module:Class.Event", 4)
    assert decoded(logged(event.data.encode() if as_bytes else event.data)) == (4, state)


def test_an_event_of_another_writer_is_named_by_its_position() -> None:
    with pytest.raises(Misconfigured, match="at position 9"):
        decoded(logged('{"data_id": 1}'))


def test_an_originator_that_cannot_be_a_stream_is_rejected() -> None:
    assert stream_of(UUID(int=1)) == f"aggregate-{UUID(int=1)}"
    with pytest.raises(Invalid):
        stream_of("two\nlines")
