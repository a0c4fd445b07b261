"""Avro: schemas of records, and their bytes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from fastavro import parse_schema

from schemas.errors import Malformed
from schemas.integration import Record
from streams.integration_topics.avro import decode, decode_plain, encode, enveloped, readable_with, schema_id, schema_of

ID = UUID("01940000-0000-7000-8000-000000000001")
PERSON = Record("Persona", {"nombre": "string"})
RECORD = Record("Evento", {"n": "long", "persona": PERSON, "tags": ["string"]}, service="pruebas")


def test_a_schema_is_an_envelope_whose_fields_may_all_be_null() -> None:
    schema = orjson.loads(schema_of(RECORD))

    parse_schema(schema)
    assert (schema["name"], "namespace" in schema) == ("Evento", False)
    names = [field["name"] for field in schema["fields"]]
    assert names == ["id", "time", "ingestion", "specversion", "type", "datacontenttype", "service_name", "data"]
    data = schema["fields"][-1]["type"][1]
    assert data["name"] == "EventoPayload"
    for field in (*schema["fields"], *data["fields"]):
        assert field["type"][0] == "null"
        assert field["default"] is None
    assert [field["type"][1] for field in data["fields"][::2]] == ["long", {"type": "array", "items": "string"}]


def test_a_record_without_a_service_is_published_as_it_is() -> None:
    record = Record("UserCreated", {"id": "int"}, "com.example")

    assert [field["name"] for field in orjson.loads(schema_of(record))["fields"]] == ["id"]
    assert orjson.loads(schema_of(record))["name"] == record.full_name == "com.example.UserCreated"
    assert enveloped(record, {"id": 1}, ID, datetime.now(UTC)) == {"id": 1}


def test_values_are_read_as_they_were_written() -> None:
    at = datetime(2026, 11, 30, 1, 2, 3, 456789, UTC)
    values = enveloped(RECORD, {"n": 7, "persona": {"nombre": "José"}, "tags": ["a"]}, ID, at)
    value = encode(schema_of(RECORD), 513, values)

    assert value[:5] == b"\x00\x00\x00\x02\x01"
    assert schema_id(value) == 513
    read = decode(schema_of(RECORD), value)
    assert read == values
    assert read["time"] == read["ingestion"] == 1796000523456
    assert encode(schema_of(RECORD), 513, values) == value


@pytest.mark.parametrize(
    "values",
    [{"n": "text"}, {"n": 2**63}, {"unknown": 1}, {"persona": {"other": 1}}, {"tags": "text"}],
)
def test_values_that_the_schema_does_not_allow_are_an_error(values: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        encode(schema_of(RECORD), 1, {"data": values})


def test_fields_that_are_left_out_are_null() -> None:
    value = encode(schema_of(RECORD), 1, {"data": {"n": 1}})

    assert decode(schema_of(RECORD), value)["data"] == {"n": 1, "persona": None, "tags": None}


@pytest.mark.parametrize("value", [b"", b"\x00\x00", b"\x01\x00\x00\x00\x01x"])
def test_bytes_without_the_id_of_a_schema_are_malformed(value: bytes) -> None:
    with pytest.raises(Malformed):
        schema_id(value)


def test_bytes_that_do_not_fit_their_schema_are_malformed() -> None:
    whole = encode(schema_of(PERSON), 1, {"nombre": "x"})

    for value in (whole[:-1], whole + b"\x00", whole[:5], whole[:5] + b"\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01x"):
        with pytest.raises(Malformed):
            decode(schema_of(PERSON), value)


def test_a_reader_of_a_changed_schema_reads_older_values_or_says_why_not() -> None:
    old, more, other = (
        schema_of(Record("R", fields)) for fields in ({"a": "string"}, {"a": "string", "b": "long"}, {"a": "long"})
    )

    assert readable_with(more, old, {"a": "x"}) == {"a": "x", "b": None}
    with pytest.raises(Malformed):
        readable_with(other, old, {"a": "x"})


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "it ends too early"),
        (b"\x02\x04\xff\xfe", "a text in it is not UTF-8"),
        (b"\x09" * 4, "it is no record of Avro by this schema"),
    ],
)
def test_the_reason_for_which_a_record_is_not_read_is_a_sentence(value: bytes, why: str) -> None:
    schema = schema_of(Record("Texto", {"texto": "string"}))

    with pytest.raises(Malformed, match=f"the record does not fit its schema: {why}"):
        decode_plain(schema, value)


def test_a_record_of_another_schema_is_said_to_be_one_and_neither_schema_is_shown() -> None:
    text, other = schema_of(Record("Texto", {"texto": "string"})), schema_of(Record("Otro", {"n": "long"}))

    with pytest.raises(Malformed) as raised:
        decode(other, encode(other, 1, {"n": 1}), text)

    assert raised.value.reasons == "the record does not fit its schema: the schema that it names is not that of the topic"
