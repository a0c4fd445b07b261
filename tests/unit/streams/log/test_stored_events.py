"""Stored events: what is encoded is decoded to the same."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.errors import Misconfigured, TooLarge
from schemas.system import ContextName
from streams.broker.cloudevents import BACKFILLED, encode_event, timeline_headers
from streams.discovery import installed_catalog
from streams.log.reading import MAX_STREAM_BYTES
from streams.log.stored_events import (
    ENVELOPE_BYTES,
    MAX_RECORD_BYTES,
    EventData,
    StoredEvent,
    check_publishable,
    decode,
    decode_metadata,
    encode,
    encode_metadata,
)
from streams.settings import Settings

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


def test_an_event_that_its_topic_would_not_accept_cannot_be_published() -> None:
    largest = EventData("id", "Event", 1, "ñ" * 500)

    check_publishable(largest, ENVELOPE_BYTES + 1000)
    with pytest.raises(
        TooLarge, match=f"the event Event would have {ENVELOPE_BYTES + 1000} bytes with its headers, more than "
    ):
        check_publishable(largest, ENVELOPE_BYTES + 999)


def test_the_largest_event_fits_into_a_record_with_the_longest_headers() -> None:
    limit, text = 100_000, "\U0001f600" * 200
    data = "x" * (limit - ENVELOPE_BYTES)
    check_publishable(EventData("id", "E" * 200, 1, data), limit)
    metadata = encode_metadata(
        replace(METADATA, correlation_id=text, command=text, causation_id=text, actor=text, traceparent=text)
    )
    stream, number, at = "s" * MAX_STREAM_BYTES, 2**63 - 1, datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)
    row = StoredEvent(number, stream, 2**31 - 1, uuid4(), "E" * 200, 2**31 - 1, 0, number, at, data, metadata)
    record = encode_event(row, ContextName("s" * 27, "c" * 27))
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 2 * limit)

    headers = [*record.headers, BACKFILLED, *timeline_headers(2**31 - 1)]
    batch.append(0, record.timestamp_ms, record.key, record.value, headers)

    assert len(batch.build()) <= limit


def test_the_largest_record_is_that_of_the_default_settings() -> None:
    assert Settings().max_record_bytes == MAX_RECORD_BYTES
