"""States of a stream at its versions and times, and what changed between them."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from query_api.audit.time_travel import MAX_VERSIONS, TimeTravel
from query_api.http.responses import json_response
from schemas.data_ingestion.validation import SchemaRegistered
from schemas.errors import Invalid, NotFound
from schemas.partner_alliances.contracts import ContractChanged, ContractCreated
from schemas.system import ContextName
from streams.discovery import installed_catalog
from tests.unit.query_api.audit.event_log import BEGIN, EventLog

TRAVEL = TimeTravel(installed_catalog(["data_ingestion"]))
STREAM = "rulebook-acme"


@pytest.fixture
def log() -> EventLog:
    log = EventLog(ContextName("data_ingestion", "validation"))
    for n in (1, 2, 3):
        log.add(STREAM, SchemaRegistered(partner_id="acme", json_schema={"minProperties": n}))
    return log


async def test_a_state_is_one_of_a_version_of_a_time_or_of_now(log: EventLog) -> None:
    now = await TRAVEL.state(log, STREAM)
    second = await TRAVEL.state(log, STREAM, version=2)
    then = await TRAVEL.state(log, STREAM, at=BEGIN + timedelta(seconds=2.5))

    assert (now.category, now.version, now.state["json_schema"]) == ("rulebook", 3, {"minProperties": 3})
    assert second == then
    assert (second.version, second.recorded_at, second.state["revision"]) == (2, BEGIN + timedelta(seconds=2), 2)


async def test_a_state_that_never_was_is_not_found(log: EventLog) -> None:
    with pytest.raises(NotFound, match="has 3 versions, not 4"):
        await TRAVEL.state(log, STREAM, version=4)
    with pytest.raises(NotFound, match="had not begun at"):
        await TRAVEL.state(log, STREAM, at=BEGIN)
    for stream in ("rulebook-x", "nothing-1"):
        with pytest.raises(NotFound, match="there is no stream"):
            await TRAVEL.state(log, stream)


async def test_a_difference_is_a_patch_with_the_events_that_made_it(log: EventLog) -> None:
    found = await TRAVEL.difference(log, STREAM, 1, 3)

    assert {"op": "replace", "path": "/json_schema/minProperties", "value": 3} in found["patch"]
    assert [event["version"] for event in found["events"]] == [2, 3]
    assert (found["from"], found["to"], found["category"]) == (1, 3, "rulebook")


@pytest.mark.parametrize(("old", "new"), [(3, 3), (2, 1), (0, MAX_VERSIONS + 1)])
async def test_versions_have_an_order_and_a_distance(log: EventLog, old: int, new: int) -> None:
    with pytest.raises(Invalid, match="`from` must be a version below `to`"):
        await TRAVEL.difference(log, STREAM, old, new)


async def test_a_state_with_a_number_of_more_than_64_bits_is_shown_exactly() -> None:
    log, contract_id, wide = EventLog(ContextName("partner_alliances", "contracts")), uuid4(), 99999999999999999999
    fields = {"contract_id": contract_id, "partner_id": uuid4()}
    log.add(
        f"contract-{contract_id}",
        ContractCreated(**fields, product="REFERRAL", terms={}, starts_on=date.min, ends_on=date.max),
    )
    log.add(f"contract-{contract_id}", ContractChanged(**fields, terms={"amount_cents": wide}, ends_on=date.max))
    travel = TimeTravel(installed_catalog(["partner_alliances"]))

    state = await travel.state(log, f"contract-{contract_id}")
    found = await travel.difference(log, f"contract-{contract_id}", 1, 2)

    assert b'"terms":{"amount_cents":99999999999999999999}' in bytes(json_response(state.state).body)
    assert bytes(json_response(found).body).count(b"99999999999999999999") == 2
