"""Live pages as applications: the files of a page, its socket on any path, and the requests that it posts."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from deploy.pages.feed import Feed
from deploy.pages.history import LeftBehind
from deploy.pages.live_page import LivePage
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.errors import CaudalError, Forbidden, Unavailable
from streams.http.bodies import read_limited
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.security.tokens import TokenVerifier
from streams.settings import Settings

TRY_AGAIN, POLICY = 1013, 1008
"""Codes of closed sockets (RFC 6455, and IANA's registry): too many or too slow, and not allowed."""
TOKEN_PREFIX = "caudal.bearer."
PROTOCOL = "caudal"
"""A browser cannot set a header of a socket: it offers the protocols ``caudal`` and ``caudal.bearer.<token>`` instead."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SENT_ON = ("authorization", "content-type", "idempotency-key", "traceparent")
_PASSED_BACK = ("content-type", "command-id", "location", "retry-after")
COMMON, _COMMON = Path(__file__).parent / "common", "common/"
"""The files that pages share, and where they find them."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Pages:
    """Several pages in one process, each on a port of its own: an ASGI application."""

    def __init__(
        self, pages: Mapping[int, LivePage], settings: Settings, catalog: Catalog, gateways: Mapping[str, httpx.AsyncClient]
    ) -> None:
        """``gateways`` are clients of the gateways to which pages post, by the gateway's name."""
        self._feeds = {port: Feed(page, settings, catalog) for port, page in pages.items()}
        self._by_port = {
            port: _Page(page, self._feeds[port], settings, gateways.get(page.system)).app() for port, page in pages.items()
        }
        self._without_lifespan = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._without_lifespan if scope["type"] == "lifespan" else self._by_port[scope["server"][1]]
        await app(scope, receive, send)

    async def keep_fed(self) -> None:
        """Reads the events of all pages until cancelled."""
        await asyncio.gather(*(feed.run() for feed in self._feeds.values()))


class _Page:
    def __init__(self, page: LivePage, feed: Feed, settings: Settings, gateway: httpx.AsyncClient | None) -> None:
        self._page, self._feed, self._settings, self._gateway = page, feed, settings, gateway
        self._verifier, self._open = TokenVerifier(settings), 0
        is_open = settings.profile == "seed" and page.access.open_in_seed
        self._access: Access | None = None if is_open else page.access

    def app(self) -> Starlette:
        """Returns the application of the page."""
        own, common = (StaticFiles(directory=folder, html=True) for folder in (self._page.files, COMMON))

        async def file(request: Request) -> Response:
            path = request.path_params["path"]
            files = common if path.startswith(_COMMON) else own
            answer = await files.get_response(path.removeprefix(_COMMON) or "index.html", request.scope)
            answer.headers["content-security-policy"] = _POLICY
            answer.headers["cache-control"] = "no-cache"
            return answer

        return Starlette(
            routes=[
                *operations_routes({"feed": self._feed.why_not_ready}),
                *(Route(path, self._post, methods=["POST"]) for path in self._page.posts),
                WebSocketRoute("/{path:path}", self._socket),
                Route("/{path:path}", file, methods=["GET"]),
            ],
            middleware=[Middleware(Observed)],
            exception_handlers=EXCEPTION_HANDLERS,
        )

    async def _post(self, request: Request) -> Response:
        """Passes a request of the page on to the gateway, and its answer back; raises `Forbidden` and `Unavailable`."""
        if not self._is_allowed(request.headers.get("origin"), request.headers.get("host", "")):
            raise Forbidden("pages of this origin may not post here")
        if self._gateway is None:
            raise Unavailable(f"the page {self._page.name} has no gateway")
        body = await read_limited(request, self._settings.max_body_bytes)
        headers = {name: request.headers[name] for name in _SENT_ON if name in request.headers}
        try:
            answer = await self._gateway.post(request.url.path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable("the gateway does not answer", str(error) or type(error).__name__) from error
        passed = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
        return Response(answer.content, answer.status_code, passed)

    async def _socket(self, socket: WebSocket) -> None:
        """Sends each frame; takes nothing of what the client says."""
        if not self._is_allowed(socket.headers.get("origin"), socket.headers.get("host", "")):
            await socket.send_denial_response(PlainTextResponse("pages of this origin may not open a socket here", 403))
            return
        if self._open >= self._settings.max_live_views:
            await socket.send_denial_response(PlainTextResponse("too many sockets are open", 503, {"Retry-After": "5"}))
            return
        self._open += 1
        try:
            # A rejection after the acceptance has a code and a reason, which a browser shows its page, unlike a status.
            await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
            if (why := await self._why_not(socket)) is not None:
                await socket.close(POLICY, why)
                return
            sending = asyncio.create_task(self._send(socket))
            try:
                await _until_closed(socket)
            finally:
                sending.cancel()
                with suppress(asyncio.CancelledError, WebSocketDisconnect):
                    await sending
        finally:
            self._open -= 1

    async def _send(self, socket: WebSocket) -> None:
        try:
            async for frame in self._feed.history.after(socket.query_params.get("after")):
                await socket.send_text(frame.text)
        except LeftBehind:
            await socket.close(TRY_AGAIN, "too slow")

    async def _why_not(self, socket: WebSocket) -> str | None:
        if self._access is None:
            return None
        given = [text.removeprefix(TOKEN_PREFIX) for text in socket.scope["subprotocols"] if text.startswith(TOKEN_PREFIX)]
        scheme, _, bearer = socket.headers.get("authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else next(iter(given), None)
        if token is None:
            return "a token is needed"
        try:
            caller = await self._verifier.caller(token)
        except CaudalError:
            return "the token is not valid"
        why = self._access.why_not(caller)
        return None if why is None else f"needs {why}"[:120]  # a reason has 123 bytes at most

    def _is_allowed(self, origin: str | None, host: str) -> bool:
        """Whether a page of an origin may talk to this one: its own, and those of the settings. Programs name no origin.

        In the profile for trying, pages of this machine may too, also those that were opened as files.
        """
        if origin is None or urlsplit(origin).netloc == host or self._settings.cors_origins == "*":
            return True
        if origin in self._settings.cors_origins.split(","):
            return True
        return self._settings.profile == "seed" and (origin == "null" or urlsplit(origin).hostname in _LOOPBACK)


async def _until_closed(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
