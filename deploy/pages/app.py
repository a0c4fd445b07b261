"""Live pages as applications: the files of a page, its socket on any path, and the requests that it posts."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog
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
from schemas.access import Access, Caller
from schemas.catalog import Catalog
from schemas.errors import CaudalError, Forbidden, Unauthenticated, Unavailable
from streams.http.bodies import read_limited
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.security.tokens import TokenVerifier
from streams.settings import Settings

TRY_AGAIN, POLICY, FAULT = 1013, 1008, 1011
"""Codes of closed sockets (RFC 6455, and IANA's registry): too slow, not allowed, and a fault of this side."""
_log = structlog.get_logger()
_MAX_REASON = 100
"""Characters of the reason of a closed socket, which has 123 bytes."""
TOKEN_PREFIX = "caudal.bearer."
PROTOCOL = "caudal"
"""A browser cannot set a header of a socket: it offers the protocols ``caudal`` and ``caudal.bearer.<token>`` instead."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SENT_ON = ("authorization", "content-type", "idempotency-key", "traceparent")
_PASSED_BACK = ("content-type", "command-id", "location", "retry-after")
FEED_FILES, _FEED_FILES = Path(__file__).parent / "feed_files", "feed_files/"
"""The files that all pages have, and the path at which they find them."""
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
        own, shared = (StaticFiles(directory=folder, html=True) for folder in (self._page.files, FEED_FILES))

        async def file(request: Request) -> Response:
            path = request.path_params["path"]
            files = shared if path.startswith(_FEED_FILES) else own
            answer = await files.get_response(path.removeprefix(_FEED_FILES) or "index.html", request.scope)
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
            try:
                caller = await self._authorized(socket)
            except CaudalError as error:
                await _close(socket, POLICY, error.detail[:_MAX_REASON])
            else:
                await self._serve(socket, None if caller is None else caller.expires_at)
        finally:
            self._open -= 1

    async def _serve(self, socket: WebSocket, until: float | None) -> None:
        sending = asyncio.create_task(self._send(socket, until))
        try:
            await _until_closed(socket)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending

    async def _send(self, socket: WebSocket, until: float | None) -> None:
        """Sends every frame until the token expires; closes the socket if it cannot go on."""
        limit = asyncio.timeout(None if until is None else max(0.0, until - time.time()))
        try:
            async with limit:
                async for frame in self._feed.history.after(socket.query_params.get("after")):
                    await socket.send_text(frame.text)
        except WebSocketDisconnect:
            return  # the client has gone
        except LeftBehind:
            await _close(socket, TRY_AGAIN, "too slow")
        except Exception:
            if limit.expired():
                await _close(socket, POLICY, "the token has expired")
                return
            _log.exception("socket of a page failed", page=self._page.name)
            await _close(socket, FAULT, "a fault of this side")

    async def _authorized(self, socket: WebSocket) -> Caller | None:
        """Returns the caller, ``None`` if none is needed; raises `Unauthenticated`, `Forbidden` and `Unavailable`."""
        if self._access is None:
            return None
        given = [text.removeprefix(TOKEN_PREFIX) for text in socket.scope["subprotocols"] if text.startswith(TOKEN_PREFIX)]
        scheme, _, bearer = socket.headers.get("authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else next(iter(given), None)
        if token is None:
            raise Unauthenticated(had_token=False)
        caller = await self._verifier.caller(token)
        if (why := self._access.why_not(caller)) is not None:
            raise Forbidden(f"the page {self._page.name} needs {why}")
        return caller

    def _is_allowed(self, origin: str | None, host: str) -> bool:
        """Whether a page of an origin may talk to this one: its own, and those of the settings. Programs name no origin.

        In the profile for trying, pages of this machine may too, also those that were opened as files.
        """
        try:
            given = urlsplit(origin or "")
        except ValueError:
            return False
        if origin is None or given.netloc == host or self._settings.cors_origins == "*":
            return True
        if origin in self._settings.cors_origins.split(","):
            return True
        return self._settings.profile == "seed" and (origin == "null" or given.hostname in _LOOPBACK)


async def _close(socket: WebSocket, code: int, why: str) -> None:
    """Closes a socket, unless its client has gone already."""
    with suppress(WebSocketDisconnect, RuntimeError):
        await socket.close(code, why)


async def _until_closed(socket: WebSocket) -> None:
    """Returns when the client has gone; what it says is ignored, texts and bytes alike."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
