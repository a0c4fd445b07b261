"""The check of a changed schema; the registries themselves are tested with a database and over HTTP."""

from schemas.integration import Record
from streams.integration_topics.avro import schema_of
from streams.integration_topics.registry import why_unreadable

OLD = schema_of(Record("R", {"a": "string", "b": "long"}))


def test_fields_may_be_added_and_dropped_and_must_not_change() -> None:
    assert why_unreadable(schema_of(Record("R", {"a": "string", "b": "long", "c": "double"})), OLD) is None
    assert why_unreadable(schema_of(Record("R", {"a": "string"})), OLD) is None
    assert why_unreadable(schema_of(Record("R", {"a": "long", "b": "long"})), OLD) is not None
