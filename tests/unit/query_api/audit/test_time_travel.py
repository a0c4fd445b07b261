"""States of a stream at its versions and times, and what changed between them."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from uuid import uuid4

import pytest

from query_api.audit.time_travel import MAX_EVENTS, MAX_VERSIONS, TimeTravel
from query_api.http.responses import json_response
from schemas.data_ingestion.validation import SchemaRegistered
from schemas.errors import Invalid, NotFound, TooCostly
from schemas.partner_alliances.contracts import ContractChanged, ContractCreated
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.discovery import installed_catalog
from streams.log.stored_events import StoredEvent
from tests.unit.query_api.audit.event_log import BEGIN, EventLog

STREAM, ME = "rulebook-acme", "auditor"


@pytest.fixture(scope="module")
def processes() -> Iterator[BoundedProcesses]:
    made = BoundedProcesses()
    yield made
    made.close()


@pytest.fixture
def travel(processes: BoundedProcesses) -> TimeTravel:
    return TimeTravel(installed_catalog(["data_ingestion"]), processes)


@pytest.fixture
def log() -> EventLog:
    log = EventLog(ContextName("data_ingestion", "validation"))
    for n in (1, 2, 3):
        log.add(STREAM, SchemaRegistered(partner_id="acme", json_schema={"minProperties": n}))
    return log


async def test_a_state_is_one_of_a_version_of_a_time_or_of_now(log: EventLog, travel: TimeTravel) -> None:
    now = await travel.state(log, STREAM, ME)
    second = await travel.state(log, STREAM, ME, version=2)
    then = await travel.state(log, STREAM, ME, at=BEGIN + timedelta(seconds=2.5))

    assert (now.category, now.version, now.state["json_schema"]) == ("rulebook", 3, {"minProperties": 3})
    assert second == then
    assert (second.version, second.recorded_at, second.state["revision"]) == (2, BEGIN + timedelta(seconds=2), 2)


async def test_a_state_that_never_was_is_not_found(log: EventLog, travel: TimeTravel) -> None:
    with pytest.raises(NotFound, match="has 3 versions, not 4"):
        await travel.state(log, STREAM, ME, version=4)
    with pytest.raises(NotFound, match="had not begun at"):
        await travel.state(log, STREAM, ME, at=BEGIN)
    for stream in ("rulebook-x", "nothing-1"):
        with pytest.raises(NotFound, match="there is no stream"):
            await travel.state(log, stream, ME)


async def test_a_difference_is_a_patch_with_the_events_that_made_it(log: EventLog, travel: TimeTravel) -> None:
    found = await travel.difference(log, STREAM, ME, 1, 3)

    assert {"op": "replace", "path": "/json_schema/minProperties", "value": 3} in found["patch"]
    assert [event["version"] for event in found["events"]] == [2, 3]
    assert (found["from"], found["to"], found["category"]) == (1, 3, "rulebook")


@pytest.mark.parametrize(("old", "new"), [(3, 3), (2, 1), (0, MAX_VERSIONS + 1)])
async def test_versions_have_an_order_and_a_distance(log: EventLog, travel: TimeTravel, old: int, new: int) -> None:
    with pytest.raises(Invalid, match="`from` must be a version below `to`"):
        await travel.difference(log, STREAM, ME, old, new)


async def test_a_state_with_a_number_of_more_than_64_bits_is_shown_exactly(processes: BoundedProcesses) -> None:
    log, contract_id, wide = EventLog(ContextName("partner_alliances", "contracts")), uuid4(), 99999999999999999999
    fields = {"contract_id": contract_id, "partner_id": uuid4()}
    log.add(
        f"contract-{contract_id}",
        ContractCreated(**fields, product="REFERRAL", terms={}, starts_on=date.min, ends_on=date.max),
    )
    log.add(f"contract-{contract_id}", ContractChanged(**fields, terms={"amount_cents": wide}, ends_on=date.max))
    travel = TimeTravel(installed_catalog(["partner_alliances"]), processes)

    state = await travel.state(log, f"contract-{contract_id}", ME)
    found = await travel.difference(log, f"contract-{contract_id}", ME, 1, 2)

    assert b'"terms":{"amount_cents":99999999999999999999}' in bytes(json_response(state.state).body)
    assert bytes(json_response(found).body).count(b"99999999999999999999") == 2


async def test_a_difference_that_takes_too_long_is_rejected_and_the_event_loop_goes_on(log: EventLog) -> None:
    one, other = list(range(20_000)), random.Random(1).sample(range(20_000), 20_000)
    for values in (one, other):
        log.add(STREAM, SchemaRegistered(partner_id="acme", json_schema={"enum": values}))
    processes = BoundedProcesses(cpu_seconds=0.5)
    travel = TimeTravel(installed_catalog(["data_ingestion"]), processes)
    longest = 0.0

    async def measure() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)

    try:
        assert (await travel.state(log, STREAM, ME)).state["json_schema"] == {"enum": other}
        measuring = asyncio.create_task(measure())
        with pytest.raises(TooCostly, match=r"more than 0\.5 s of processor time"):
            await travel.difference(log, STREAM, ME, 4, 5)
        measuring.cancel()
        assert longest < 0.4, "the comparison took at least 0.5 s"
        assert (await travel.difference(log, STREAM, ME, 1, 3))["patch"]
    finally:
        processes.close()


class Bulky(EventLog):
    """A log whose reads are noted."""

    def __init__(self) -> None:
        super().__init__(ContextName("data_ingestion", "validation"))
        self.sizes: list[int] = []

    async def read_stream(self, stream: str, after: int = 0, limit: int = 1000) -> Sequence[StoredEvent]:
        found = await super().read_stream(stream, after, limit)
        self.sizes.append(sum(len(row.data) for row in found))
        return found


async def test_of_a_stream_of_any_size_a_bounded_part_is_read(travel: TimeTravel) -> None:
    log = Bulky()
    for n in range(60):
        log.add(STREAM, SchemaRegistered(partner_id="acme", json_schema={"title": f"{n}" + "x" * 1024 * 1024}))

    with pytest.raises(TooCostly, match="50000 events or 33554432 bytes are not replayed: ask for an earlier version"):
        await travel.state(log, STREAM, ME)

    assert sum(log.sizes) < 48 * 1024 * 1024
    assert max(log.sizes) < 10 * 1024 * 1024
    assert (await travel.state(log, STREAM, ME, version=20)).state["revision"] == 20
    assert (await travel.state(log, STREAM, ME, at=BEGIN + timedelta(seconds=20))).version == 20


async def test_of_a_stream_of_any_length_a_bounded_part_is_read(travel: TimeTravel) -> None:
    log, event = Bulky(), SchemaRegistered(partner_id="acme", json_schema={})
    row = log.add(STREAM, event)
    log.rows = [row._replace(version=n, position=n) for n in range(1, MAX_EVENTS + 2)]

    with pytest.raises(TooCostly, match="are not replayed"):
        await travel.state(log, STREAM, ME)

    assert (await travel.state(log, STREAM, ME, version=MAX_EVENTS)).state["revision"] == MAX_EVENTS
