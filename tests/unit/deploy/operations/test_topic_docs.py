"""Pages of topics: every header of their records is explained, and every topic of a context has one."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from deploy.operations.topic_docs import write_topic_docs
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope, Metadata
from schemas.system import ContextName
from streams.broker.cloudevents import encode_command, encode_event
from streams.discovery import installed_catalog
from streams.log.stored_events import StoredEvent, encode_metadata
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import origin_headers

NOW, ONE = datetime(2030, 1, 1, tzinfo=UTC), UUID(int=1)
INGESTION = ContextName("data_ingestion", "ingestion")
METADATA = Metadata(
    command_id=ONE, correlation_id="c", command="receive-data", causation_id="e", actor="ana", traceparent="00-1-1-01"
)
EVENT = StoredEvent(1, "data-1", 1, ONE, "DataReceived", 1, 0, 0, NOW, "{}", encode_metadata(METADATA))
COMMAND = CommandEnvelope(
    data=ReceiveData(partner_id="p", payload={}), id=ONE, at=NOW, correlation_id="c", causation_id="e", actor="ana",
    policy="p", traceparent="00-1-1-01",
)  # fmt: skip


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    write_topic_docs(tmp_path, Settings(topic_prefix="shop"), installed_catalog(["data_ingestion", "clinical_lab"]))
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("events", encode_event(EVENT, INGESTION).headers),
        ("commands", encode_command(COMMAND, "data_ingestion", "key").headers),
        ("dead-letters", origin_headers(INGESTION, "log@1", "a fault", "data_ingestion.records")),
    ],
)
def test_each_header_is_explained(pages: Path, kind: str, headers: list[tuple[str, bytes]]) -> None:
    text = (pages / f"shop.data_ingestion.ingestion.{kind}.md").read_text()

    assert [name for name, _ in headers if f"| `{name}` |" not in text] == []


def test_each_topic_of_a_context_has_a_page(pages: Path) -> None:
    names = {path.name for path in pages.iterdir()}

    assert {
        f"shop.data_ingestion.ingestion.{kind}.md" for kind in ("events", "commands", "dead-letters", "signed-heads")
    } <= names


def test_readers_filters_and_encrypted_fields_are_named(pages: Path) -> None:
    ingestion = (pages / "shop.data_ingestion.ingestion.events.md").read_text()
    results = (pages / "shop.clinical_lab.results.events.md").read_text()

    assert "| `DataReceived` | view `data_ingestion.records` |" in ingestion
    assert "policy `data_ingestion.validate-what-is-ingested`" in ingestion
    assert f"ce_type) == '{dict(encode_event(EVENT, INGESTION).headers)['ce_type'].decode()}'" in ingestion
    assert "Encrypted for a data subject: `patient`, `result`." in results
