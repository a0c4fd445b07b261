"""APIs behind a gateway that do as a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import httpx
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from deploy.gateway.app import Gateways
from deploy.gateway.forwarding import client_session
from schemas.clients.gateway import Gateway
from streams.discovery import installed_catalog
from streams.settings import Settings

PORT = 8002
GATEWAY = Gateway("data_ingestion", PORT, answers={"/": "hola", "/document": {"a": 1}}, health={"estado": "bien"})
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
KILL = "the connection breaks before the answer"


class Api:
    """One instance; keeps the requests that reach it."""

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer
        self.requests: list[tuple[str, str, CIMultiDict[str], bytes]] = []
        self.ready = True
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/readyz":
            return web.Response(status=200 if self.ready else 503)
        self.requests.append((request.method, request.raw_path, request.headers.copy(), await request.read()))
        return web.json_response({"from": self.url}) if self._answer is None else await self._answer(request)


async def kill(request: web.Request) -> web.StreamResponse:
    """Breaks the connection before the answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def unavailable(_: web.Request) -> web.StreamResponse:
    return web.json_response({"from": "unavailable"}, status=503, headers={"Retry-After": "1"})


async def frozen(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    raise AssertionError("nobody waits for so long")


@asynccontextmanager
async def gateway_of(
    commands: Sequence[Api | str], queries: Sequence[Api | str] = (), **settings: object
) -> AsyncIterator[tuple[httpx.AsyncClient, Gateways]]:
    """A gateway of `data_ingestion` before these instances (or addresses), and a client of it."""
    async with AsyncExitStack() as stack:
        addresses = []
        for api in (*commands, *(queries or commands)):
            if isinstance(api, Api) and not api.server.started:
                await stack.enter_async_context(api.server)
            addresses.append(api.url if isinstance(api, Api) else api)
        both = {"command_apis": ",".join(addresses[: len(commands)]), "query_apis": ",".join(addresses[len(commands) :])}
        made = Settings(**both, **settings)  # type: ignore[arg-type]
        session: aiohttp.ClientSession = await stack.enter_async_context(client_session(made))
        app = Gateways({PORT: GATEWAY}, made, installed_catalog(["data_ingestion"]), session)
        for instances in app.upstreams.values():
            for instance in instances.instances:
                await instance.probe(session)
        transport = httpx.ASGITransport(app, client=("198.51.100.7", 1))
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=f"http://gateway:{PORT}")), app
