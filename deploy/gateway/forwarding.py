"""Forwarding: a request goes to one instance of an API, and to another one if the first is gone.

A request is sent again only if that can do nothing twice::

    the connection failed, nothing was sent        any request
    it broke, or the instance answered 503         reads, and commands: those without an idempotency key get one
    anything else                                  never: 502, or 504 if no answer came in time
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
from multidict import CIMultiDict
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from yarl import URL

from command_api.http.batch import is_batch
from deploy.gateway.recent_writes import RecentWrites
from deploy.gateway.routing import Api, Route, Routes, Target
from deploy.gateway.upstreams import Instance, Upstream
from schemas.errors import BadGateway, GatewayTimeout, Unavailable
from streams.http.bodies import read_limited
from streams.http.middleware import SECURITY
from streams.http.request_context import context_of
from streams.security.uploads import Uploads
from streams.settings import Settings
from streams.telemetry.tracing import current_traceparent

_CONNECT_SECONDS = 2
_WHOLE_BYTES = 1024 * 1024
"""An answer up to this size is received before the first byte is passed on, so that it may come from another instance."""
_OF_ONE_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
"""Headers that are not forwarded (RFC 9110, 7.6.1)."""
_SENT_ANEW = _OF_ONE_CONNECTION | {
    *(b"host", b"content-length", b"expect"),
    *(b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-correlation-id"),
}
"""Headers of requests that the gateway or its client library writes itself."""
_NOT_PASSED_ON = _OF_ONE_CONNECTION | {b"date", b"server", b"x-correlation-id", *(name for name, _ in SECURITY)}
"""Headers of answers that the gateway's own server and middleware write."""
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

REQUESTS = Counter(
    "caudal_gateway_requests",
    "Requests sent to an instance of an API, by outcome: answered, unreachable, broken, too-slow.",
    ["api", "instance", "outcome"],
)


def client_session(settings: Settings) -> aiohttp.ClientSession:
    """Returns the client with which a process sends every request."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=settings.keep_alive_seconds / 2),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_NOT_ADDED,
        timeout=aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=settings.gateway_timeout_seconds),
    )


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A request as it is sent to an instance."""

    api: Api
    method: str
    url: URL
    """Path and query."""
    headers: CIMultiDict[str]
    body: bytes | None
    is_repeatable: bool
    """Whether it can be sent again although it may have been handled."""
    may_be_elsewhere: bool
    """Whether another instance may answer what one was not able to: not if the client waits for a write of its own."""


class Forwarder:
    """Forwards the requests of one gateway."""

    def __init__(
        self,
        settings: Settings,
        routes: Routes,
        upstreams: Mapping[Api, Upstream],
        writes: RecentWrites,
        session: aiohttp.ClientSession,
    ) -> None:
        self._settings, self._routes, self._upstreams = settings, routes, upstreams
        self._writes, self._session = writes, session
        self._uploads = Uploads(settings.max_file_bytes)

    async def answer(self, request: Request) -> Response:
        """Returns the answer of an API to a request; raises what the module's text says, `TooLarge` or `HTTPException`."""
        raw_path = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
        target = self._routes.find(request.method, raw_path)
        context_of(request).dialect = target.route.errors
        caller = context_of(request).headers.get(b"authorization") or context_of(request).client
        headers = self._headers(request, target.route, caller)
        async with self._body(target.route, request) as body:
            return await self._forwarded(request, target, headers, body, caller)

    async def _forwarded(
        self, request: Request, target: Target, headers: CIMultiDict[str], body: bytes | None, caller: str
    ) -> Response:
        url = URL.build(path=target.path, query_string=request.scope["query_string"].decode("latin-1"), encoded=True)
        is_repeatable = target.route.is_read or (target.route.is_command and _has_id(headers))
        may_be_elsewhere = is_repeatable and b"consistency-token" not in context_of(request).headers
        outgoing = _Outgoing(target.route.api, request.method, url, headers, body, is_repeatable, may_be_elsewhere)
        response = await self._sent(outgoing)
        if (token := response.headers.get("consistency-token")) is not None and not target.route.is_read:
            self._writes.note(caller, token)
        return response

    def _headers(self, request: Request, route: Route, caller: str) -> CIMultiDict[str]:
        context = context_of(request)
        named = {name.strip().lower().encode() for name in context.headers.get(b"connection", "").split(",")}
        passed = ((name, value) for name, value in request.scope["headers"] if name not in _SENT_ANEW and name not in named)
        headers = CIMultiDict((name.decode("latin-1"), _text(value)) for name, value in passed)
        headers["X-Forwarded-For"], headers["X-Forwarded-Proto"] = context.client, request.scope["scheme"]
        headers["X-Forwarded-Host"] = context.headers.get(b"host", "")
        headers["X-Correlation-Id"] = context.correlation_id
        if (traceparent := current_traceparent()) is not None:
            headers["traceparent"] = traceparent
        if route.is_read and "Consistency-Token" not in headers and (tokens := self._writes.tokens(caller)) is not None:
            headers["Consistency-Token"] = tokens
            headers.add("Prefer", "handling=lenient, wait=2")
        if route.is_command and not _has_id(headers) and not is_batch(context):
            headers["Idempotency-Key"] = f"gateway-{uuid4().hex}"
        return headers

    @asynccontextmanager
    async def _body(self, route: Route, request: Request) -> AsyncIterator[bytes | None]:
        """Receives the body of a request that has one, for the time of the block; raises `TooLarge` and `Unavailable`."""
        if route.is_read:
            yield None
        elif route.is_upload:
            async with self._uploads.received(request) as file:
                yield file
        else:
            settings, batches = self._settings, is_batch(context_of(request))
            yield await read_limited(request, settings.max_command_batch_bytes if batches else settings.max_body_bytes)

    async def _sent(self, outgoing: _Outgoing) -> Response:
        """Returns the answer of the first instance that gives one."""
        upstream, tried, broken = self._upstreams[outgoing.api], list[Instance](), False
        for _ in range(len(upstream.instances) + 1):
            instance = upstream.next(tried)
            if instance is None and broken:  # an idle connection that was closed breaks as well: a new one may work
                tried.clear()
                instance = upstream.next(tried)
            if instance is None:
                break
            tried.append(instance)
            try:
                response = await self._exchanged(outgoing, instance)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                instance.take_out()
                _count(outgoing.api, instance, "unreachable")
            except TimeoutError:
                _count(outgoing.api, instance, "too-slow")
                raise GatewayTimeout from None
            except (aiohttp.ClientError, OSError) as error:
                instance.take_out()
                _count(outgoing.api, instance, "broken")
                if not outgoing.is_repeatable:
                    raise BadGateway from error
                broken = True
            else:
                _count(outgoing.api, instance, "answered")
                if not (response.status_code == 503 and outgoing.may_be_elsewhere and upstream.has_another(tried)):
                    return response
                if isinstance(response, _Passed):
                    await response.close()
        raise BadGateway if broken else Unavailable(f"no instance of the {outgoing.api} API can be reached")

    async def _exchanged(self, outgoing: _Outgoing, instance: Instance) -> Response:
        """Sends a request to an instance, and returns its answer: whole, or one that is passed on as it arrives."""
        url = URL(f"{instance.url.origin()}{outgoing.url}", encoded=True)
        async with AsyncExitStack() as exchange:
            exchange.enter_context(instance.counted())
            sending = self._session.request(
                outgoing.method, url, headers=outgoing.headers, data=outgoing.body, allow_redirects=False
            )
            answer = await exchange.enter_async_context(sending)
            if outgoing.method == "HEAD" or (answer.content_length is not None and answer.content_length <= _WHOLE_BYTES):
                response = Response(await answer.read(), answer.status)
                response.raw_headers = _headers_of(answer)
                return response
            return _Passed(answer, exchange.pop_all())


class _Passed(StreamingResponse):
    """An answer that is passed on as it arrives; its exchange with the instance ends with it."""

    def __init__(self, answer: aiohttp.ClientResponse, exchange: AsyncExitStack) -> None:
        super().__init__(answer.content.iter_any(), answer.status)
        self.raw_headers = _headers_of(answer)
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._exchange:
            await super().__call__(scope, receive, send)

    async def close(self) -> None:
        """Ends the exchange of an answer that is not passed on."""
        await self._exchange.aclose()


def _headers_of(answer: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    lowered = ((name.lower(), value) for name, value in answer.raw_headers)
    return [(name, value) for name, value in lowered if name not in _NOT_PASSED_ON]


def _count(api: Api, instance: Instance, outcome: str) -> None:
    REQUESTS.labels(api, str(instance.url), outcome).inc()


def _text(value: bytes) -> str:
    """Returns the text of which the client library makes the same bytes; others than UTF-8 are read as Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _has_id(headers: Mapping[str, str]) -> bool:
    return "Idempotency-Key" in headers or "X-Command-Id" in headers
