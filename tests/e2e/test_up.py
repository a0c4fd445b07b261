"""`caudal up` as a person sees it: what it prints can be pasted."""

import asyncio
import os
import re
import sys

import httpx
import pytest

from tests.stack import ONE_SYSTEM, START_SECONDS


@pytest.mark.timeout(120)
async def test_the_tokens_that_it_prints_are_good() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "up", "--ephemeral", "--ports", "auto"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **ONE_SYSTEM},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            told = (await process.stdout.readuntil(b"Ctrl-C stops everything.")).decode()
        query_api = re.search(r"Query API\s+│ (http://\S+)/docs", told)
        tokens = dict(re.findall(r"^([A-Z_]+)=(\S+)$", told, re.M))
        assert query_api is not None
        assert {"AUDITOR", "OPERATOR", "PRIVACY_OFFICER"} <= tokens.keys()
        async with httpx.AsyncClient(base_url=query_api[1], verify=False) as client:
            for role in ("OPERATOR", "AUDITOR"):
                headers = {"Authorization": f"Bearer {tokens[role]}"}
                assert (await client.get("/sagas", headers=headers)).status_code == 200
            assert (await client.get("/sagas")).status_code == 401
    finally:
        process.terminate()
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, err.decode()
    assert "Stopping" in err.decode()
