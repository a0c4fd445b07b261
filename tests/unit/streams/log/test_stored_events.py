"""Stored events: what is encoded is decoded to the same."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.errors import Misconfigured
from schemas.system import ContextName
from streams.discovery import installed_catalog
from streams.log.stored_events import StoredEvent, decode, decode_metadata, encode, encode_metadata

INGESTION = ContextName("data_ingestion", "ingestion")
EVENT = DataIngested(data_id=UUID(int=1), partner_id="ñ", payload={"text": "\u2028"})
METADATA = Metadata(
    command_id=UUID(int=2), correlation_id="ñ", command="receive-data", causation_id="a", actor="b", traceparent="c"
)


def stored(type: str, data: str) -> StoredEvent:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return StoredEvent(7, "s", 1, uuid4(), type, 1, 0, 0, at, data, encode_metadata(METADATA))


def test_an_event_is_decoded_as_it_was_encoded() -> None:
    encoded = encode(EVENT)

    recorded = decode(stored(encoded.type, encoded.data), INGESTION, installed_catalog(["data_ingestion"]))

    assert (recorded.data, recorded.position, recorded.stream, recorded.metadata) == (EVENT, 7, "s", METADATA)
    assert encode(EVENT).id != encoded.id


def test_an_event_that_no_installed_code_reads_is_named_with_its_position() -> None:
    with pytest.raises(Misconfigured, match="position 7: "):
        decode(stored("NeverHeardOf", "{}"), INGESTION, installed_catalog(["data_ingestion"]))


def test_metadata_leave_out_what_is_not_known() -> None:
    few = Metadata(command_id=UUID(int=2), correlation_id="c")

    assert encode_metadata(few) == '{"command_id":"00000000-0000-0000-0000-000000000002","correlation_id":"c"}'
    assert (decode_metadata(encode_metadata(few)), decode_metadata(encode_metadata(METADATA))) == (few, METADATA)


def test_the_fields_of_a_stored_event_are_the_columns_of_its_queries() -> None:
    columns = {name: n for n, name in enumerate(StoredEvent._fields)}

    assert list(StoredEvent.of(columns)) == list(range(len(columns)))
