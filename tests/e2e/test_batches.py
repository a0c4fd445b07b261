"""Batches of commands: a line each, each answered for itself."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.stack import RunningStack

URL = "/commands/data_ingestion/receive-data"
NDJSON = {"Content-Type": "application/x-ndjson"}


def line(n: int, key: str | None = None) -> str:
    command = {"partner_id": "batch", "payload": {"n": n}}
    return json.dumps({"command": command} if key is None else {"command": command, "idempotency_key": key})


async def post(stack: RunningStack, *lines: str, url: str = URL) -> list[Any]:
    answer = await stack.commands.post(url, content="\n".join(lines), headers=NDJSON)
    assert answer.status_code == 200, answer.text
    return [json.loads(found) for found in answer.text.splitlines()]


async def test_every_line_is_answered_for_itself_and_in_order(stack: RunningStack) -> None:
    key = str(uuid4())
    await post(stack, line(1, key))

    answers = await post(
        stack, line(1, key), line(3), "nonsense", "{}", json.dumps({"command": {"partner_id": 1, "payload": {}}})
    )
    (reused,) = await post(stack, line(2, key))

    assert [answer["status"] for answer in answers] == [201, 201, 400, 422, 422]
    assert [answer.get("repeated") for answer in answers[:2]] == [True, False]
    assert answers[3]["errors"][0]["pointer"] == "/command"
    assert answers[4]["errors"][0]["pointer"] == "/command/partner_id", "as for every other fault: in the line"
    assert (reused["status"], reused["type"]) == (422, "urn:caudal:problem:key-reused")


async def test_a_systems_own_path_takes_batches_too(stack: RunningStack) -> None:
    answers = await post(stack, *(line(n) for n in range(500)), url="/ingest")

    assert [answer["status"] for answer in answers] == [201] * 500
    assert len({answer["stream"] for answer in answers}) == 500


@pytest.mark.parametrize("content", [b"\n".join([b"{}"] * 1001), b"x" * (8 * 1024 * 1024 + 1)])
async def test_a_batch_has_its_limits(stack: RunningStack, content: bytes) -> None:
    answer = await stack.commands.post(URL, content=content, headers=NDJSON)

    assert answer.status_code == 413


async def test_a_key_used_twice_in_a_batch_is_one_command(stack: RunningStack) -> None:
    key = str(uuid4())

    first, again, other = await post(stack, line(1, key), line(1, key), line(2, key))

    assert (first["status"], again["status"], other["status"]) == (201, 201, 422)
    assert (first["stream"], first["repeated"]) == (again["stream"], False)
    assert again["repeated"]


@pytest.mark.parametrize("header", ["If-Match", "Idempotency-Key"])
async def test_a_header_for_one_command_is_rejected_for_a_batch(stack: RunningStack, header: str) -> None:
    answer = await stack.commands.post(URL, content=line(1), headers={**NDJSON, header: '"1"'})

    assert answer.status_code == 400


async def test_an_empty_batch_is_answered_with_nothing(stack: RunningStack) -> None:
    assert await post(stack, "", "") == []
