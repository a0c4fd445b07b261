"""Records: stored events and commands as CloudEvents and back."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest

from aggregates.scenario import FIRST_ID, MIDNIGHT
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope, Metadata
from schemas.errors import Malformed
from schemas.system import ContextName
from streams.broker.cloudevents import Outgoing, decode_command, decode_event, encode_command, encode_event, timeline_of
from streams.log.stored_events import StoredEvent, decode_metadata, encode_metadata

METADATA = Metadata(command_id=FIRST_ID, correlation_id="ñ", causation_id="why", traceparent="00-x-y-01")
ROW = StoredEvent(
    position=7,
    stream="delivery-ñ",
    version=2,
    id=UUID(int=5),
    type="DataIngested",
    schema_version=1,
    partition=3,
    previous=4,
    recorded_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    data='{"text":"\u2028ñ"}',
    metadata=encode_metadata(METADATA),
)


def consumed(record: Outgoing, partition: int = 3) -> Any:
    return SimpleNamespace(
        topic="t", partition=partition, offset=9, key=record.key, value=record.value, headers=tuple(record.headers)
    )


def test_an_event_is_decoded_as_it_was_encoded() -> None:
    row = decode_event(consumed(encode_event(ROW, ContextName("data_ingestion", "ingestion"))))

    assert orjson.loads(row.data) == orjson.loads(ROW.data)
    assert decode_metadata(row.metadata) == METADATA
    for field in ("position", "stream", "version", "id", "type", "schema_version", "partition", "previous", "recorded_at"):
        assert getattr(row, field) == getattr(ROW, field), field


def test_an_event_is_a_cloudevent_in_binary_mode() -> None:
    record = encode_event(ROW, ContextName("data_ingestion", "ingestion"))

    headers = dict(record.headers)
    assert (headers["ce_specversion"], headers["ce_type"], headers["ce_source"]) == (
        b"1.0",
        b"data_ingestion.DataIngested",
        b"/caudal/data_ingestion/ingestion",
    )
    assert (headers["ce_position"], headers["ce_previous"], headers["content-type"]) == (b"7", b"4", b"application/json")
    assert record.key == "delivery-ñ".encode()


def test_a_command_is_decoded_as_it_was_encoded() -> None:
    command = ReceiveData(partner_id="ñ", payload={"x": 1})
    sent = CommandEnvelope(data=command, id=FIRST_ID, at=MIDNIGHT, correlation_id="c", causation_id="e")

    found = decode_command(consumed(encode_command(sent, "data_ingestion", "key")))

    assert (found.type, found.id, found.at) == ("data_ingestion.receive-data", FIRST_ID, MIDNIGHT)
    assert (found.correlation_id, found.causation_id, found.actor) == ("c", "e", None)
    assert ReceiveData.model_validate_json(found.value) == command


@pytest.mark.parametrize(
    "headers", [(), (("ce_type", b"x"),), (("ce_type", b"x"), ("ce_id", b"nonsense")), (("ce_type", None), ("ce_id", None))]
)
def test_a_foreign_record_is_malformed(headers: Any) -> None:
    record = SimpleNamespace(topic="t", partition=0, offset=1, key=None, value=b"", headers=headers)

    with pytest.raises(Malformed):
        decode_event(record)
    with pytest.raises(Malformed):
        decode_command(record)


@pytest.mark.parametrize(
    "time", [b"2026-11-27T02:42:30", b"2026-11-27", b"2026-W48-5", b"yesterday", b"0001-01-01T00:00:00+14:00"]
)
def test_a_record_whose_time_has_no_offset_is_malformed(time: bytes) -> None:
    command = CommandEnvelope(data=ReceiveData(partner_id="a", payload={}), id=FIRST_ID, at=MIDNIGHT, correlation_id="c")
    records = (
        (decode_event, encode_event(ROW, ContextName("data_ingestion", "ingestion"))),
        (decode_command, encode_command(command, "data_ingestion", "key")),
    )
    for decode, record in records:
        headers = [(name, time if name == "ce_time" else value) for name, value in record.headers]
        with pytest.raises(Malformed):
            decode(consumed(replace(record, headers=headers)))


@pytest.mark.parametrize("name", ["ce_position", "ce_previous", "ce_streamversion", "ce_schemaversion", "ce_timeline"])
@pytest.mark.parametrize(
    "number", ["", "x", "1_0", "\uff11", " 5", "5\n", "+5", "-1", "1.0", "9223372036854775808", "9" * 30, "9" * 5000]
)
def test_a_record_with_another_number_than_a_log_can_hold_is_malformed(name: str, number: str) -> None:
    record = encode_event(ROW, ContextName("data_ingestion", "ingestion"))
    headers = [*((n, value) for n, value in record.headers if n != name), (name, number.encode())]
    foreign = consumed(replace(record, headers=headers))

    with pytest.raises(Malformed):
        (timeline_of if name == "ce_timeline" else decode_event)(foreign)


@pytest.mark.parametrize("name", ["ce_streamversion", "ce_schemaversion", "ce_timeline"])
def test_a_version_of_more_than_32_bits_is_malformed(name: str) -> None:
    record = encode_event(ROW, ContextName("data_ingestion", "ingestion"))
    headers = [*((n, value) for n, value in record.headers if n != name), (name, b"2147483648")]

    with pytest.raises(Malformed):
        (timeline_of if name == "ce_timeline" else decode_event)(consumed(replace(record, headers=headers)))


def test_a_time_with_another_offset_is_read_in_utc() -> None:
    record = encode_event(ROW, ContextName("data_ingestion", "ingestion"))
    headers = [(n, b"2026-01-02T08:04:05.678901+05:00" if n == "ce_time" else value) for n, value in record.headers]

    assert decode_event(consumed(replace(record, headers=headers))).recorded_at == ROW.recorded_at
