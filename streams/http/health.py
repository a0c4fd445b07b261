"""Health and metrics of a process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.http.responses import JsonResponse

Check = Callable[[], Awaitable[str | None]]
"""Returns why a part is not ready, or ``None`` if it is."""
MAX_CHECK_SECONDS = 2.0
"""How long an answer waits for a check: a server that is frozen answers nothing, and probes do not wait long."""


def operations_routes(checks: Mapping[str, Check]) -> list[Route]:
    """Returns the routes ``/livez``, ``/readyz`` (with the reasons), ``/health`` (the same) and ``/metrics``."""

    running: dict[str, asyncio.Task[str | None]] = {}

    async def why_not(name: str, check: Check) -> str | None:
        task = running.get(name)
        if task is None:  # else the check of an earlier request is still waiting
            running[name] = task = asyncio.create_task(_awaited(check))
            task.add_done_callback(lambda _: running.pop(name))
        await asyncio.wait([task], timeout=MAX_CHECK_SECONDS)
        return task.result() if task.done() else f"a server that it needs has not answered within {MAX_CHECK_SECONDS:g} s"

    async def livez(_: Request) -> Response:
        return JsonResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        found = await asyncio.gather(*(why_not(name, check) for name, check in checks.items()))
        failing = {name: why for name, why in zip(checks, found, strict=True) if why is not None}
        status = "not ready" if failing else "ready"
        return JsonResponse({"status": status, "failing": failing}, 503 if failing else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/health", readyz),
        Route("/metrics", metrics),
    ]


async def _awaited(check: Check) -> str | None:
    return await check()
