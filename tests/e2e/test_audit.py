"""The audit: what happened, who did what and why, how it was at any time, and the proof of it."""

import asyncio
import csv
import io
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from streams.discovery import installed_catalog
from tests.conftest import eventually
from tests.stack import RunningStack

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_proof.py"
AUDIT = "/audit/data_ingestion"


async def deliver(stack: RunningStack, partner: str, correlation: str | None = None) -> str:
    """A delivery that is processed by now; returns its id."""
    headers = {"X-Correlation-Id": correlation or str(uuid4()), "X-Actor": "auditor@example.org"}
    body = {"partner_id": partner, "payload": {"name": "x"}}
    data_id = str((await stack.commands.post("/ingest", json=body, headers=headers)).json()["data_id"])

    async def processed() -> bool:
        row = await stack.queries.get(f"/query/{data_id}")
        return row.status_code == 200 and row.json()["processing_status"] == "processed"

    await eventually(processed)
    return data_id


async def content_stream(stack: RunningStack, partner: str) -> str:
    sql = "select stream from data_ingestion__processing.streams where stream like $1"
    (row,) = await stack.fetch(sql, f"content-{partner}-%")
    return str(row["stream"])


async def get(stack: RunningStack, path: str, status: int = 200) -> Any:
    answer = await stack.queries.get(f"{AUDIT}/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_state_is_shown_as_of_a_version_and_as_of_a_time(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    first = await deliver(stack, partner)
    between = datetime.now(UTC).isoformat()
    second = await deliver(stack, partner)
    stream = await content_stream(stack, partner)

    now = await get(stack, f"processing/states/{stream}")
    assert (now["category"], now["version"]) == ("content", 7)
    assert (now["state"]["first"], set(now["state"]["processed"])) == (first, {first, second})
    assert (await get(stack, f"processing/states/{stream}?version=3"))["state"]["processed"] == [first]
    assert (await get(stack, f"processing/states/{stream}?version=2"))["state"] == {"first": None, "processed": []}
    then = await stack.queries.get(f"{AUDIT}/processing/states/{stream}", params={"at": between})
    assert (then.json()["version"], then.json()["state"]["processed"]) == (3, [first])
    await get(stack, f"processing/states/{stream}?version=8", 404)
    await get(stack, f"processing/states/{stream}?at=2020-01-01T00:00:00Z", 404)
    await get(stack, f"processing/states/{stream}?at=2020-01-01T00:00:00", 422)
    await get(stack, f"processing/states/{stream}?at=2020-01-01T00:00:00Z&version=1", 422)
    await get(stack, "processing/states/nothing-1", 404)


async def test_the_difference_between_two_versions_comes_with_the_events_behind_it(stack: RunningStack) -> None:
    partner = f"p-{uuid4()}"
    first = await deliver(stack, partner)
    await deliver(stack, partner)
    stream = await content_stream(stack, partner)

    found = await get(stack, f"processing/differences/{stream}?from=2&to=3")

    assert {"op": "replace", "path": "/first", "value": first} in found["patch"]
    assert [event["type"] for event in found["events"]] == ["DataProcessed"]
    newest = await get(stack, f"processing/differences/{stream}")
    assert (newest["from"], newest["to"], len(newest["events"])) == (6, 7, 1)
    await get(stack, f"processing/differences/{stream}?from=3&to=3", 422)
    await get(stack, f"processing/differences/{stream}?from=3&to=99", 404)


async def test_a_logs_events_are_paged_filtered_and_streamed(stack: RunningStack) -> None:
    correlation = f"c-{uuid4()}"
    for _ in range(3):
        await deliver(stack, f"p-{uuid4()}", correlation)

    found, path = [], f"{AUDIT}/ingestion/events?correlation_id={correlation}&type=DataIngested&limit=1"
    while path:
        page = await stack.queries.get(path)
        found += page.json()["events"]
        path = page.links.get("next", {}).get("url", "")

    assert [event["type"] for event in found] == ["DataIngested"] * 3
    assert all(event["metadata"]["command"] == "receive-data" for event in found)
    begin, end = found[0]["position"], found[1]["position"]
    between = await get(stack, f"ingestion/events?from={begin}&to={end}&correlation_id={correlation}")
    assert [event["position"] for event in between["events"]] == [begin, end - 1, end]
    by_time = await stack.queries.get(
        f"{AUDIT}/ingestion/events",
        params={"from": found[1]["recorded_at"], "correlation_id": correlation, "type": ["DataReceived", "DataIngested"]},
    )
    assert len(by_time.json()["events"]) == 4
    lines = await stack.queries.get(
        f"{AUDIT}/ingestion/events?correlation_id={correlation}", headers={"Accept": "application/x-ndjson"}
    )
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert [orjson.loads(line)["type"] for line in lines.text.splitlines()] == ["DataReceived", "DataIngested"] * 3
    of_stream = await get(stack, f"ingestion/events?stream={found[0]['stream']}")
    assert len(of_stream["events"]) == 2


async def test_a_log_is_followed_and_resumed(stack: RunningStack) -> None:
    async def follow(count: int, last: str | None = None) -> list[tuple[str, str]]:
        """The ids and types of some events of the log, from now on or after one."""
        headers = {} if last is None else {"Last-Event-ID": last}
        found, id = [], ""
        async with stack.queries.stream("GET", f"{AUDIT}/ingestion/events/live?type=DataIngested", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            following.set()
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                id = value if name == "id" else id
                if name == "data":
                    found.append((id, orjson.loads(value)["type"]))
                if len(found) == count:
                    break
        return found

    following = asyncio.Event()
    first = asyncio.create_task(follow(1))
    await asyncio.wait_for(following.wait(), 10)
    for _ in range(3):
        await deliver(stack, f"p-{uuid4()}")
    ((id, type),) = await asyncio.wait_for(first, 30)
    resumed = await asyncio.wait_for(follow(2, id), 30)

    assert type == "DataIngested"
    assert len({id, *(one for one, _ in resumed)}) == 3
    assert (await stack.queries.get(f"{AUDIT}/ingestion/events/live", headers={"Last-Event-ID": "7"})).status_code == 400
    assert (await stack.queries.get(f"{AUDIT}/ingestion/events/live?limit=7")).status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("ingestion/events?from=0", 422),
        ("ingestion/events?from=yesterday", 422),
        ("ingestion/events?limit=0", 422),
        ("ingestion/events?foo=1", 422),
        ("ingestion/events?from=1&from=2", 422),
        ("nothing/events", 404),
        ("ingestion/events/999999999/causation", 404),
        ("ingestion/events/1/causation?x=1", 422),
        ("ingestion/events/abc/causation", 422),
        (f"ingestion/events/{'9' * 5000}/causation", 422),
        ("ingestion/differences/delivery-nothing", 404),
        ("ingestion/proofs/nothing-1", 404),
        ("ingestion/proofs/nothing-1?limit=1001", 422),
        ("ingestion/states/%00", 422),
    ],
)
async def test_invalid_requests_are_rejected(stack: RunningStack, path: str, status: int) -> None:
    answer = await stack.queries.get(f"{AUDIT}/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


async def test_a_stream_is_found_by_any_spelling_of_the_key_in_its_name(stack: RunningStack) -> None:
    partner = f"Jose\u0301-{uuid4()}"
    await stack.commands.post("/commands/data_ingestion/register-schema", json={"partner_id": partner, "json_schema": {}})

    stored = unicodedata.normalize("NFC", f"rulebook-{partner}")
    for spelling in (stored, f"rulebook-{partner}"):
        history = await get(stack, f"validation/streams/{spelling}")
        page = await get(stack, f"validation/events?stream={spelling}")
        assert (history["stream"], len(history["events"])) == (stored, 1)
        assert [event["stream"] for event in page["events"]] == [stored]


async def test_causes_and_effects_are_followed_through_every_context(stack: RunningStack) -> None:
    correlation = f"c-{uuid4()}"
    data_id = await deliver(stack, f"p-{uuid4()}", correlation)
    history = await get(stack, f"validation/streams/inspection-{data_id}")

    tree = await get(stack, f"validation/events/{history['events'][0]['position']}/causation")

    assert (tree["correlation_id"], tree["is_whole"]) == (correlation, True)
    received, ingested = tree["roots"]
    assert (received["type"], received["effects"]) == ("DataReceived", [])
    assert (ingested["context"], ingested["type"]) == ("data_ingestion.ingestion", "DataIngested")
    assert {effect["type"] for effect in ingested["effects"]} == {
        "DataValidated",
        "DataNormalised",
        "DataProfiled",
        "DataProcessed",
    }
    code, out, err = await stack.caudal("why", "data_ingestion.validation", str(history["events"][0]["position"]))
    assert code == 0, err
    assert f"correlation {correlation}" in out
    assert "DataProcessed" in out


async def test_anyone_can_check_a_stream_with_fifty_lines_and_the_public_key(stack: RunningStack, tmp_path: Path) -> None:
    partner = f"p-{uuid4()}"
    for _ in range(3):
        await deliver(stack, partner)
    stream = await content_stream(stack, partner)
    proof: dict[str, Any] = {}

    async def signed() -> bool:
        proof.update(await get(stack, f"processing/proofs/{stream}"))
        return bool(proof["segments"]) and sum(isinstance(link, dict) for s in proof["segments"] for link in s["chain"]) == 11

    await eventually(signed)
    public_key = stack.data_dir / "keys" / "public.pem"

    def check(name: str, text: bytes) -> tuple[int, str]:
        (tmp_path / name).write_bytes(text)
        run = subprocess.run(
            [sys.executable, str(SCRIPT), str(tmp_path / name), str(public_key)], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout + run.stderr

    whole = orjson.dumps(proof)
    assert check("whole.json", whole) == (
        0,
        f"data_ingestion.processing {stream}: versions 1 to 11 are as signed\n",
    )
    assert check("altered.json", whole.replace(b'\\"nulls\\":0', b'\\"nulls\\":1', 1))[0] == 1
    assert check("signature.json", whole.replace(b'"signature":"', b'"signature":"00', 1))[0] == 1
    left_out = orjson.loads(whole)
    left_out["segments"][-1]["chain"] = [link for link in left_out["segments"][-1]["chain"] if not isinstance(link, dict)]
    assert check("left_out.json", orjson.dumps(left_out))[0] == 1
    assert check("empty.json", orjson.dumps({**proof, "segments": []}))[0] == 1
    part = await get(stack, f"processing/proofs/{stream}?after=4&limit=2")
    assert check("part.json", orjson.dumps(part)) == (
        0,
        f"data_ingestion.processing {stream}: versions 5 to 6 are as signed\n",
    )
    assert partner.encode() not in orjson.dumps(
        [link for s in proof["segments"] for link in s["chain"] if isinstance(link, str)]
    )
    assert len(SCRIPT.read_text().splitlines()) <= 50


async def test_events_are_replayed_as_a_table_as_lines_and_as_csv(stack: RunningStack) -> None:
    correlation = f"c-{uuid4()}"
    data_id = await deliver(stack, f"p-{uuid4()}", correlation)
    options = ("replay", "data_ingestion.ingestion", "--correlation", correlation)

    code, table, err = await stack.caudal(*options)
    _, lines, _ = await stack.caudal(*options, "--json", "--type", "DataIngested")
    _, sheet, _ = await stack.caudal(*options, "--csv", "--stream", f"delivery-{data_id}", "--from", "1")

    assert code == 0, err
    assert "receive-data by auditor@example.org" in table
    assert "2 events of" in err
    (line,) = map(orjson.loads, lines.splitlines())
    assert (line["type"], line["metadata"]["correlation_id"]) == ("DataIngested", correlation)
    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert [(row["type"], row["actor"]) for row in rows] == [
        ("DataReceived", "auditor@example.org"),
        ("DataIngested", "auditor@example.org"),
    ]
    assert orjson.loads(rows[0]["data"])["data_id"] == data_id
    for wrong in (("replay", "nothing.here"), ("replay", "nothing"), (*options, "--from", "soon")):
        code, _, err = await stack.caudal(*wrong)
        assert (code, "Traceback" in err) == (1, False), err


async def test_a_replay_names_what_the_log_does_not_have(stack: RunningStack) -> None:
    await deliver(stack, f"p-{uuid4()}")

    for option, what in (
        ("--stream", "there is no stream 'nothing' in data_ingestion.ingestion"),
        ("--correlation", "no event of data_ingestion.ingestion has the correlation 'nothing'"),
        ("--type", "data_ingestion.ingestion has no event 'nothing'; there are DataIngested, DataReceived"),
    ):
        code, _, err = await stack.caudal("replay", "data_ingestion.ingestion", option, "nothing")
        assert (code, what in err) == (1, True), err
    for empty in (("--from", "1000000"), ("--from", "2", "--to", "1"), ("--to", "2020-01-01")):
        code, out, err = await stack.caudal("replay", "data_ingestion.ingestion", *empty)
        assert (code, out) == (0, ""), err
        assert "data_ingestion.ingestion has no events there: its log ends at " in err


async def test_the_whole_log_verifies(stack: RunningStack) -> None:
    await deliver(stack, f"p-{uuid4()}")

    async def signed() -> bool:
        return (await stack.caudal("verify", "log", "--require-signed"))[0] == 0

    await eventually(signed)
    code, out, err = await stack.caudal("verify", "log")

    assert code == 0, out + err
    assert out.count("complete and unaltered") == len(installed_catalog().contexts)
