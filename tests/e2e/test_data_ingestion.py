"""Data ingestion end to end: the calls of its clients on the whole stack."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from vega_datasets import data as vega

from tests.conftest import eventually
from tests.stack import RunningStack, caudal

EXAMPLE_BODY = {
    "partner_id": "partner123",
    "payload": {"name": "Example Data", "age": 30, "attributes": {"key1": "value1", "key2": "value2"}},
}
AIRPORT_SCHEMA = {
    "type": "object",
    "required": ["iata", "latitude", "longitude"],
    "properties": {
        "iata": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "country": {"const": "USA"},
        "latitude": {"type": "number", "minimum": 24, "maximum": 72},
    },
}
CAR_SCHEMA = {
    "type": "object",
    "properties": {
        "Miles_per_Gallon": {"type": "number"},
        "Horsepower": {"type": "integer"},
        "Origin": {"enum": ["USA", "Europe", "Japan"]},
    },
}


def is_complete(record: dict[str, Any]) -> bool:
    statuses = [record[f"{what}_status"] for what in ("ingestion", "validation", "processing")]
    return "pending" not in statuses


async def complete_record(stack: RunningStack, data_id: str, seconds: float = 10) -> dict[str, Any]:
    give_up = time.monotonic() + seconds
    while True:
        answer = await stack.queries.get(f"/query/{data_id}")
        if answer.status_code == 200 and is_complete(answer.json()):
            return dict(answer.json())
        assert time.monotonic() < give_up, f"not complete within {seconds} s: {answer.text}"
        await asyncio.sleep(0.02)


async def everything_of(stack: RunningStack, partner: str) -> list[dict[str, Any]]:
    """Every record of a partner, page by page along the links."""
    found: list[dict[str, Any]] = []
    url: str | None = f"/query/partner/{partner}?limit=500"
    while url:
        page = await stack.queries.get(url)
        assert page.status_code == 200, page.text
        found += page.json()
        url = page.links["next"]["url"] if "next" in page.links else None
    return found


async def wait_for(stack: RunningStack, partner: str, count: int, seconds: float = 60) -> list[dict[str, Any]]:
    async def all_there() -> bool:
        rows = await stack.fetch(
            "select count(*) as n from data_ingestion__ingestion__views.records where partner_id = $1"
            " and ingestion_status <> 'pending' and validation_status <> 'pending' and processing_status = 'processed'",
            partner,
        )
        return bool(rows[0]["n"] >= count)

    await eventually(all_there, seconds, f"{count} records of {partner}")
    return await everything_of(stack, partner)


async def test_a_delivery_is_ingested_validated_and_processed(stack: RunningStack) -> None:
    answer = await stack.commands.post("/ingest", json=EXAMPLE_BODY)
    assert answer.status_code == 201
    data_id = answer.json()["data_id"]

    record = await complete_record(stack, data_id, seconds=2)

    assert UUID(data_id)
    assert record["payload"] == EXAMPLE_BODY["payload"]
    assert (record["partner_id"], record["validation_status"], record["violations"]) == ("partner123", "valid", [])
    assert record["results"]["profile"]["types"]["/attributes/key1"] == "string"
    assert record["received_at"] <= record["validated_at"]


async def test_the_three_queries_agree(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    ids = [
        (await stack.commands.post("/ingest", json={"partner_id": partner, "payload": {"n": n}})).json()["data_id"]
        for n in range(3)
    ]
    by_id = [await complete_record(stack, data_id) for data_id in ids]

    of_partner = (await stack.queries.get(f"/query/partner/{partner}")).json()
    of_all = (await stack.queries.get("/query/all", params={"partner_id": partner})).json()

    assert sorted(of_partner, key=lambda r: ids.index(r["data_id"])) == by_id
    assert of_all == of_partner
    assert (await stack.queries.get(f"/query/{uuid4()}")).status_code == 404


async def test_a_read_with_the_token_sees_the_write(stack: RunningStack) -> None:
    for n in range(20):
        answer = await stack.commands.post("/ingest", json={"partner_id": "tokens", "payload": {"n": n}})

        seen = await stack.queries.get(
            f"/query/{answer.json()['data_id']}", headers={"Consistency-Token": answer.headers["Consistency-Token"]}
        )

        assert seen.status_code == 200
        assert seen.json()["ingestion_status"] == "ingested"


async def test_equal_payloads_of_a_partner_are_duplicates_of_the_first(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    bodies = [{"partner_id": partner, "payload": {"a": "x", "b": n % 3}} for n in range(12)]

    await asyncio.gather(*(stack.commands.post("/ingest", json=body) for body in bodies))

    records = await wait_for(stack, partner, 12)
    firsts = [record for record in records if record["duplicate_of"] is None]
    assert len(firsts) == 3
    assert {r["duplicate_of"] for r in records if r["duplicate_of"]} == {r["data_id"] for r in firsts}


async def test_a_partners_schema_counts_from_its_registration(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    schema = {"required": ["code"]}
    registered = await stack.commands.post(
        "/commands/data_ingestion/register-schema", json={"partner_id": partner, "json_schema": schema}
    )
    assert registered.status_code == 201

    answer = await stack.commands.post("/ingest", json={"partner_id": partner, "payload": {"x": 1}})

    record = await complete_record(stack, answer.json()["data_id"])
    assert (record["validation_status"], record["schema_revision"]) == ("invalid", 1)
    assert record["violations"] == [{"pointer": "", "rule": "/required", "detail": '"code" is a required property'}]


async def test_a_broken_schema_is_rejected(stack: RunningStack) -> None:
    answer = await stack.commands.post(
        "/commands/data_ingestion/register-schema", json={"partner_id": "p", "json_schema": {"type": "objekt"}}
    )

    assert answer.status_code == 422
    assert "/type" in answer.json()["detail"]


async def test_the_history_of_a_delivery_can_be_audited(stack: RunningStack) -> None:
    answer = await stack.commands.post("/ingest", json=EXAMPLE_BODY, headers={"X-Correlation-Id": "audit-me"})
    data_id = answer.json()["data_id"]
    await complete_record(stack, data_id)

    history = (await stack.queries.get(f"/audit/data_ingestion/ingestion/streams/delivery-{data_id}")).json()
    verdict = (await stack.queries.get(f"/audit/data_ingestion/validation/streams/inspection-{data_id}")).json()

    assert [event["type"] for event in history["events"]] == ["DataReceived", "DataIngested"]
    assert history["events"][0]["data"] == {**EXAMPLE_BODY, "data_id": data_id}
    assert {event["metadata"]["correlation_id"] for event in history["events"] + verdict["events"]} == {"audit-me"}
    assert (await stack.queries.get(f"/query/{data_id}")).json()["correlation_id"] == "audit-me"
    assert verdict["events"][0]["metadata"]["causation_id"] == history["events"][1]["id"]
    assert (await stack.queries.get("/audit/data_ingestion/ingestion/streams/nothing")).status_code == 404


async def test_a_live_view_shows_changes_and_resumes(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    url = "/views/data_ingestion/records/live"

    async def read(client: httpx.AsyncClient, headers: dict[str, str], wanted: int) -> tuple[dict[str, Any], str]:
        rows: dict[str, Any] = {}
        event_id = headers.get("Last-Event-ID", "")
        async with client.stream("GET", url, headers=headers) as lines:
            ready.set()
            async for line in lines.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    event_id = value
                elif name == "data" and (row := json.loads(value))["partner_id"] == partner:
                    rows[row["data_id"]] = row
                elif not line and len([row for row in rows.values() if is_complete(row)]) >= wanted and event_id:
                    return rows, event_id
        raise AssertionError("the stream ended")

    ready = asyncio.Event()
    reading = asyncio.create_task(read(stack.queries, {}, 5))
    await ready.wait()
    for n in range(5):
        await stack.commands.post("/ingest", json={"partner_id": partner, "payload": {"n": n}})
    rows, event_id = await asyncio.wait_for(reading, 20)
    assert len(rows) == 5

    # What changes while nobody listens is not missed by a client that says where it stopped.
    late = (await stack.commands.post("/ingest", json={"partner_id": partner, "payload": {"n": 99}})).json()["data_id"]
    await complete_record(stack, late)
    again, _ = await asyncio.wait_for(read(stack.queries, {"Last-Event-ID": event_id}, 1), 20)
    assert late in again


async def test_real_data_comes_out_as_counted_without_the_engine(stack: RunningStack) -> None:
    airports = list(vega.airports().to_dict("records"))
    cars = json.loads(Path(vega.cars.filepath).read_bytes())
    for partner, schema in (("faa", AIRPORT_SCHEMA), ("cars", CAR_SCHEMA)):
        body = {"partner_id": partner, "json_schema": schema}
        assert (await stack.commands.post("/commands/data_ingestion/register-schema", json=body)).status_code == 201
    load = ("--system", "data_ingestion", "--command", "receive-data", "--into", "payload")
    load_airports = (
        *("load", str(vega.airports.filepath), *load, "--set", "partner_id=faa", "--numbers", "latitude,longitude"),
    )

    first = await stack.caudal(*load_airports)
    cars_code, _, cars_said = await stack.caudal("load", str(vega.cars.filepath), *load, "--set", "partner_id=cars")

    assert (first[0], first[2].splitlines()[-1]) == (0, "3376 accepted, 0 there already, 0 failed")
    assert (cars_code, cars_said.splitlines()[-1]) == (0, "406 accepted, 0 there already, 0 failed")
    airport_records = await wait_for(stack, "faa", 3376)
    car_records = await wait_for(stack, "cars", 406)

    valid_airports = sum(
        len(a["iata"]) == 3 and a["iata"].isalpha() and a["iata"].isupper() and a["country"] == "USA"
        and 24 <= a["latitude"] <= 72
        for a in airports
    )  # fmt: skip
    valid_cars = sum(c["Miles_per_Gallon"] is not None and c["Horsepower"] is not None for c in cars)
    assert 0 < valid_airports < 3376
    assert 0 < valid_cars < 406
    assert len(airport_records) == 3376
    assert sum(r["validation_status"] == "valid" for r in airport_records) == valid_airports
    assert sum(r["validation_status"] == "valid" for r in car_records) == valid_cars
    assert sum(r["results"]["profile"]["nulls"] for r in car_records) == sum(v is None for c in cars for v in c.values())
    distinct_cars = {json.dumps(car, sort_keys=True) for car in cars}
    assert sum(r["duplicate_of"] is not None for r in car_records) == len(cars) - len(distinct_cars)
    assert sorted(json.dumps(r["payload"], sort_keys=True) for r in car_records) == sorted(
        json.dumps(car, sort_keys=True) for car in cars
    )

    # A second run adds nothing.
    second = await stack.caudal(*load_airports)
    assert (second[0], second[2].splitlines()[-1]) == (0, "0 accepted, 3376 there already, 0 failed")
    (head,) = await stack.fetch("select count(*) as n from data_ingestion__ingestion.events where data->>'partner_id' = 'faa'")
    assert head["n"] == 2 * 3376


async def test_bad_lines_are_reported_by_number_and_the_rest_is_loaded(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "some.ndjson"
    good = {"partner_id": f"p-{uuid4()}", "payload": {"n": 1}}
    file.write_text("\n".join([json.dumps(good), "nonsense", json.dumps({**good, "partner_id": 7}), json.dumps(good)]))

    code, _, said = await stack.caudal("load", str(file), "--system", "data_ingestion", "--command", "receive-data")

    assert code == 1
    assert "line 2: not JSON" in said
    assert "line 3: the body is not a valid receive-data command (/partner_id Input should be a valid string)" in said
    assert said.splitlines()[-1] == "2 accepted, 0 there already, 2 failed"
    records = await wait_for(stack, good["partner_id"], 2)  # type: ignore[arg-type]
    assert sorted(record["duplicate_of"] is None for record in records) == [False, True]


async def test_an_unknown_command_and_a_stack_that_is_not_there_are_said_plainly(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "some.ndjson"
    file.write_text('{"a": 1}')

    unknown = await stack.caudal("load", str(file), "--system", "data_ingestion", "--command", "nothing")
    nowhere = await caudal("load", str(file), "--system", "x", "--command", "y", "--data-dir", str(tmp_path))

    assert (unknown[0], nowhere[0]) == (1, 1)
    assert unknown[2].count("there is no command 'nothing' in 'data_ingestion'") == 1
    assert "no stack runs from" in nowhere[2]


async def test_no_process_had_to_repair_anything(stack: RunningStack) -> None:
    for name in ("projectors", "worker"):
        async with httpx.AsyncClient(verify=False) as client:
            metrics = (await client.get(f"http://127.0.0.1:{stack.endpoints['ports'][name]}/metrics")).text
        gap_filled = [line for line in metrics.splitlines() if line.startswith("caudal_subscription_gap_filled_total")]
        assert all(line.endswith(" 0.0") for line in gap_filled), gap_filled


async def test_a_schema_that_takes_hours_stops_nobody_else(stack: RunningStack) -> None:
    branch = {"properties": {"x": {"$ref": "#/$defs/a"}}}
    doubling = {"$defs": {"a": {"type": "object", "anyOf": [branch, branch]}}, "$ref": "#/$defs/a"}
    payload: Any = 1
    for _ in range(45):
        payload = {"x": payload}
    hostile, other = f"p-{uuid4()}", f"p-{uuid4()}"
    await register(stack, hostile, doubling)

    endless = (await stack.commands.post("/ingest", json={"partner_id": hostile, "payload": payload})).json()["data_id"]
    delivered = (await stack.commands.post("/ingest", json={"partner_id": other, "payload": {"n": 1}})).json()["data_id"]

    assert (await complete_record(stack, delivered, 10))["validation_status"] == "valid"
    ended = await complete_record(stack, endless, 30)
    assert ended["validation_status"] == "invalid"
    assert ended["violations"] == [{"pointer": "", "rule": "", "detail": "the schema takes too long to check on this payload"}]
    for path in ("validate-data", "process-data", "record-validation"):
        closed = await stack.commands.post(f"/commands/data_ingestion/{path}", json={})
        assert closed.status_code == 404, "only the engine sends it"


async def register(stack: RunningStack, partner: str, schema: Any) -> None:
    body = {"partner_id": partner, "json_schema": schema}
    answer = await stack.commands.post("/commands/data_ingestion/register-schema", json=body)
    assert answer.status_code == 201, answer.text
