"""The words about headers: every header that is written, and every field of an event's metadata, is explained."""

from dataclasses import fields
from datetime import UTC, datetime
from uuid import UUID

from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope, Metadata
from streams.asyncapi.record_headers import COMMAND_HEADERS, EVENT_HEADERS
from streams.broker.cloudevents import encode_command

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_every_header_of_a_command_is_explained() -> None:
    command = CommandEnvelope(
        id=UUID(int=1),
        data=ReceiveData(partner_id="a", payload={"n": 1}),
        at=AT,
        correlation_id="c",
        causation_id="e",
        actor="ana",
        traceparent="00-0-0-00",
        policy="p",
    )

    assert {name for name, _ in encode_command(command, "data_ingestion", "a").headers} <= COMMAND_HEADERS.keys()


def test_every_field_of_an_events_metadata_is_explained() -> None:
    assert {f"ce_{one.name.replace('_', '')}" for one in fields(Metadata)} <= EVENT_HEADERS.keys()
