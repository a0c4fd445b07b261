"""Callers: whose token is believed, and how often somebody may ask."""

import asyncio

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
