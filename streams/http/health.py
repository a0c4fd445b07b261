"""Health and metrics of a process."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.http.responses import JsonResponse

Check = Callable[[], Awaitable[str | None]]
"""Returns why a part is not ready, or ``None`` if it is."""


def operations_routes(checks: Mapping[str, Check]) -> list[Route]:
    """Returns the routes ``/livez``, ``/readyz`` (with the reasons), ``/health`` (the same) and ``/metrics``."""

    async def livez(_: Request) -> Response:
        return JsonResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        failing = {name: why for name, check in checks.items() if (why := await check()) is not None}
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
