"""Health: alive in any case, ready when nothing fails."""

import asyncio
import time

import httpx
import pytest
from starlette.applications import Starlette

from streams.http import health
from streams.http.health import operations_routes


@pytest.mark.parametrize(("why", "status"), [(None, 200), ("no partitions yet", 503)])
async def test_a_process_is_ready_when_no_check_fails(why: str | None, status: int) -> None:
    async def work() -> str | None:
        return why

    app = Starlette(routes=operations_routes({"work": work}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        ready, health, alive = [await client.get(path) for path in ("/readyz", "/health", "/livez")]
        metrics = await client.get("/metrics")

    assert (ready.status_code, health.status_code, alive.status_code) == (status, status, 200)
    assert ready.json() == {"status": "ready" if why is None else "not ready", "failing": {} if why is None else {"work": why}}
    assert "python_info" in metrics.text


async def test_a_check_that_does_not_end_delays_no_probe_and_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MAX_CHECK_SECONDS", 0.1)
    begun, answers = 0, asyncio.Event()

    async def frozen() -> str | None:
        nonlocal begun
        begun += 1
        await answers.wait()
        return None

    app = Starlette(routes=operations_routes({"database": frozen}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        began = time.monotonic()
        for _ in range(3):
            said = await client.get("/readyz")
            assert (said.status_code, said.json()["failing"]) == (
                503, {"database": "a server that it needs has not answered within 0.1 s"}
            )  # fmt: skip
        assert (begun, time.monotonic() - began < 2) == (1, True)
        answers.set()
        assert (await client.get("/readyz")).status_code == 200
