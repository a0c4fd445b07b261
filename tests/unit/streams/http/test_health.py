"""Health: alive in any case, ready when nothing fails."""

import httpx
import pytest
from starlette.applications import Starlette

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
