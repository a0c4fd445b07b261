"""The records view: one row for each delivery, in any order of events."""

from dataclasses import replace
from itertools import permutations
from typing import Any

from aggregates.scenario import FIRST_ID, MIDNIGHT, recorded
from projectors.data_ingestion.records import PROJECTIONS
from schemas.data_ingestion.ingestion import DataIngested, DataReceived
from schemas.data_ingestion.processing import DataProcessed, ProcessingResults, Profile
from schemas.data_ingestion.records import Records
from schemas.data_ingestion.validation import DataValidated, RuleViolation
from schemas.envelope import Metadata

PROFILE = Profile(types={"/x": "integer"}, values=1, nulls=0, depth=1)
EVENTS = (
    DataReceived(data_id=FIRST_ID, partner_id="acme", payload={"x": 1}),
    DataIngested(data_id=FIRST_ID, partner_id="acme", payload={"x": 1}),
    DataValidated(
        data_id=FIRST_ID,
        partner_id="acme",
        verdict="invalid",
        violations=[RuleViolation(pointer="/x", rule="/type", detail="no")],
        schema_revision=2,
    ),
    DataProcessed(
        data_id=FIRST_ID,
        partner_id="acme",
        results=ProcessingResults(content_hash="ab", duplicate_of=None, normalised=0, profile=PROFILE),
    ),
)


def folded(events: Any) -> Records:
    row: Records | None = PROJECTIONS[0].new_row(FIRST_ID)
    for event in events:
        assert type(event) in PROJECTIONS[0].events
        assert PROJECTIONS[0].key_of(recorded(event)) == FIRST_ID
        assert row is not None
        metadata = Metadata(command_id=FIRST_ID, correlation_id=type(event).__name__)
        row = PROJECTIONS[0].apply(row, replace(recorded(event), metadata=metadata))
    assert row is not None
    return row


def test_a_row_fills_up() -> None:
    row = folded(EVENTS)

    assert (row.ingestion_status, row.validation_status, row.processing_status) == ("ingested", "invalid", "processed")
    assert row.payload == {"x": 1}
    assert row.violations == [{"pointer": "/x", "rule": "/type", "detail": "no"}]
    assert row.results is not None
    assert row.results["profile"]["types"] == {"/x": "integer"}  # type: ignore[index,call-overload]
    assert row.processed_at == MIDNIGHT
    assert row.correlation_id == "DataReceived"


def test_the_order_in_which_contexts_report_makes_no_difference() -> None:
    assert len({folded(order).model_dump_json() for order in permutations(EVENTS)}) == 1


def test_a_step_without_an_event_is_pending() -> None:
    row = folded(EVENTS[2:3])

    assert (row.ingestion_status, row.validation_status, row.processing_status) == ("pending", "invalid", "pending")
    assert row.partner_id is None
