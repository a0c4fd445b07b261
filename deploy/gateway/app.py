"""The gateway as an application: the paths of a system's clients, health in their words, and documentation."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial

import aiohttp
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from deploy.gateway.description import describe
from deploy.gateway.forwarding import Forwarder
from deploy.gateway.recent_writes import RecentWrites
from deploy.gateway.routing import Api, routes_of
from deploy.gateway.upstreams import Upstream
from schemas.catalog import Catalog
from schemas.clients.gateway import FixedAnswer, Gateway
from streams.database.pools import Databases
from streams.http.documentation import documentation_routes
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.http.responses import JsonResponse
from streams.installation import Installation
from streams.security.access_control import AccessControl
from streams.settings import Settings
from streams.telemetry.tracing import trace_requests

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_EXPOSED = ("Consistency-Token", "Command-Id", "ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit", "Retry-After")
"""Headers of answers that scripts of other origins may read."""


class Gateways:
    """Several gateways in one process, each on a port of its own, in front of the same APIs: an ASGI application."""

    def __init__(
        self, gateways: Mapping[int, Gateway], settings: Settings, catalog: Catalog, session: aiohttp.ClientSession
    ) -> None:
        self.upstreams: dict[Api, Upstream] = {
            "command": Upstream("command", settings.command_apis.split(",")),
            "query": Upstream("query", settings.query_apis.split(",")),
        }
        self._settings, self._catalog, self._session = settings, catalog, session
        self._writes = RecentWrites()
        self._by_port = {port: self._app(gateway) for port, gateway in gateways.items()}
        self._without_lifespan = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._without_lifespan if scope["type"] == "lifespan" else self._by_port[scope["server"][1]]
        await app(scope, receive, send)

    async def keep_probed(self) -> None:
        """Asks every instance of the APIs again and again whether it is ready, until cancelled."""
        await asyncio.gather(*(upstream.keep_probed(self._session) for upstream in self.upstreams.values()))

    def _app(self, gateway: Gateway) -> Starlette:
        routes = routes_of(gateway, self._catalog)
        forwarder = Forwarder(self._settings, routes, self.upstreams, self._writes, self._session)
        access = AccessControl(Installation(self._settings, self._catalog, Databases("caudal_reader", 1)))
        description = cache(partial(describe, gateway, routes, self._catalog, access.effective))
        checks = {f"{api} API": upstream.why_not_ready for api, upstream in self.upstreams.items()}

        async def health(_: Request) -> Response:
            failing = {name: why for name, check in checks.items() if (why := await check()) is not None}
            return JsonResponse({"status": "not ready", "failing": failing}, 503) if failing else JsonResponse(gateway.health)

        async def spec(_: Request) -> Response:
            return JsonResponse(description())

        app = Starlette(
            routes=[
                Route("/health", health),
                Route("/spec", spec),
                *(Route(path, _fixed(answer)) for path, answer in gateway.answers.items()),
                *operations_routes(checks),
                *documentation_routes(gateway.name, description),
                Route("/{path:path}", forwarder.answer, methods=_METHODS),
            ],
            middleware=[*_cors(self._settings), Middleware(Observed)],
            exception_handlers=EXCEPTION_HANDLERS,
        )
        trace_requests(app)
        return app


def _fixed(answer: FixedAnswer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        return PlainTextResponse(answer) if isinstance(answer, str) else JsonResponse(answer)

    return endpoint


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    origins, any_header = settings.cors_origins.split(","), ["*"]
    cors = partial(CORSMiddleware, allow_methods=_METHODS, allow_headers=any_header, expose_headers=_EXPOSED)
    return [Middleware(cors, allow_origins=origins)]
