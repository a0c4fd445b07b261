"""Callers: whose token is believed, and how often somebody may ask."""

import asyncio
from pathlib import Path

import httpx
import pytest

from streams.security.token_keys import TokenKeys
from tests.conftest import eventually
from tests.forged import FORGED
from tests.stack import ONE_SYSTEM, RunningStack, running_stack


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_neither_api_believes_a_forged_token(stack: RunningStack, name: str) -> None:
    token = FORGED[name](TokenKeys(stack.data_dir / "keys" / "tokens"))
    headers = {b"Authorization": b"Bearer " + token.encode("latin-1")}
    calls = (stack.queries.get("/sagas", headers=headers), stack.commands.post("/ingest", json={}, headers=headers))
    for answer in await asyncio.gather(*calls):
        assert answer.status_code == 401, answer.text
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/results/1", "/results", "/views/clinical_lab/users", "/views/engine/sagas"])
async def test_a_token_that_cannot_be_believed_opens_nothing(stack: RunningStack, path: str) -> None:
    good = stack.token("auditor")["Authorization"]
    head, claims, signature = good.removeprefix("Bearer ").split(".")
    for token in (f"{head}.{claims}.", f"{head}.{claims}.{signature[::-1]}", "x", f"{claims}.{claims}.{signature}"):
        rejected = await stack.queries.get(path, headers={"Authorization": f"Bearer {token}"})
        assert (rejected.status_code, rejected.json()["status"]) == (401, 401), token
        assert 'error="invalid_token"' in rejected.headers["www-authenticate"]
    other = await stack.queries.get(path, headers={"Authorization": "Basic dXNlcjpwYXNz"})
    assert other.status_code == 401


async def test_the_keys_of_tokens_are_published(stack: RunningStack) -> None:
    answer = await stack.commands.get("/.well-known/jwks.json")

    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"], "d" in key) == ("OKP", "Ed25519", False)


async def test_one_who_floods_is_held_back_and_the_others_are_served() -> None:
    limits = '{"POST": "5/hour", "GET": "3/hour"}'
    access = '{"view:data_ingestion.records": {"roles": ["reader"]}}'
    async with running_stack(environment={"CAUDAL_RATE_LIMITS": limits, "CAUDAL_ACCESS": access, **ONE_SYSTEM}) as stack:
        headers, calm = stack.token("reader"), stack.token("reader", name="calm")
        body = {"partner_id": "p", "payload": {"n": 1}}
        flood = [await stack.commands.post("/ingest", json=body, headers=headers) for _ in range(8)]
        assert [answer.status_code for answer in flood] == [201] * 5 + [429] * 3
        assert flood[0].headers["ratelimit-policy"] == '"POST-3600";q=5;w=3600'
        assert flood[0].headers["ratelimit"].startswith('"POST-3600";r=4;t=')
        held_back = flood[-1]
        assert 3000 < int(held_back.headers["retry-after"]) <= 3600
        assert held_back.headers["ratelimit"].startswith('"POST-3600";r=0;')
        assert held_back.json()["type"] == "urn:caudal:problem:too-many-requests"

        assert (await stack.commands.post("/ingest", json=body, headers=calm)).status_code == 201
        assert (
            await stack.commands.post("/commands/data_ingestion/receive-data", json=body, headers=headers)
        ).status_code == 201
        batch = [f'{{"command": {{"partner_id": "p", "payload": {{"n": {n}}}}}}}' for n in range(6)]
        ndjson = {**stack.token(name="loader"), "Content-Type": "application/x-ndjson"}
        large = await stack.commands.post("/ingest", content="\n".join(batch), headers=ndjson)
        assert (large.status_code, large.json()["detail"]) == (
            413,
            "a batch of 6 commands never fits the rate limit of 5 requests in 3600 s: send smaller batches",
        )
        small = await stack.commands.post("/ingest", content="\n".join(batch[:4]), headers=ndjson)
        assert small.status_code == 200, "of a batch that never fits only the request was counted"
        reads = [await stack.queries.get("/query/all", headers=headers) for _ in range(4)]
        assert [answer.status_code for answer in reads] == [200] * 3 + [429]
        assert (await stack.queries.get("/query/all", headers=calm)).status_code == 200
        assert (await stack.queries.get("/query/all")).status_code == 401

        forged = {"Authorization": "Bearer x.y.z"}
        guesses = [await stack.queries.head("/query/all", headers=forged) for _ in range(3)]
        assert [answer.status_code for answer in guesses] == [401] * 2 + [429], "the address had one of three already"

        # What was counted is counted for every process: also for one that has just begun.
        stack.kill("command-api")

        async def back() -> bool:
            try:
                return (await stack.commands.get("/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        await eventually(back, 30, "the command API")
        assert (await stack.commands.post("/ingest", json=body, headers=headers)).status_code == 429


async def test_a_load_follows_the_rate_limits_and_the_limits_of_batches(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("n;text\n" + "".join(f'{n};"{"x" * 2000}"\n' for n in range(60)))
    limits = {"CAUDAL_RATE_LIMITS": '{"POST": "20/2 seconds"}', "CAUDAL_MAX_COMMAND_BATCH_BYTES": "20000"}
    async with running_stack(environment={**limits, **ONE_SYSTEM}) as stack:
        code, _, said = await stack.caudal(
            *("load", str(file), "--system", "data_ingestion", "--command", "receive-data", "--into", "payload"),
            *("--set", "partner_id=slow", "--numbers", "n"),
        )
        (stored,) = await stack.fetch("select count(*) as n from data_ingestion__ingestion.events where type = 'DataReceived'")

    assert (code, said.splitlines()[-1]) == (0, "60 accepted, 0 there already, 0 failed"), said
    assert stored["n"] == 60
