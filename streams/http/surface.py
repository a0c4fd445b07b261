"""What every HTTP surface of Caudal has in common: problem documents, correlation, health. No business of its own."""

import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4

from schemas.errors import CaudalError, Forbidden, TooLarge, TooManyRequests, Unauthenticated, Unavailable
from streams.http.problem import Problem, problem_of
from streams.telemetry.logging import CORRELATION_ID

_log = structlog.get_logger()
_CORRELATION_ID = re.compile(r"[\x21-\x7e]{1,200}")

_CHALLENGE = 'Bearer realm="caudal"'
_NOT_IN_CHALLENGES = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)

REQUESTS = Counter("caudal_http_requests", "Requests answered.", ["method", "status"])
SECONDS = Histogram(
    "caudal_http_request_seconds",
    "Time to answer a request.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

Check = Callable[[], Awaitable[str | None]]
"""Says why a part is not ready, or ``None`` where it is."""


class JsonResponse(Response):
    """A JSON response, written by orjson; its line is ended, as terminals like it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


class Observed:
    """ASGI middleware: gives each request a correlation id (its own ``X-Correlation-Id`` or a new one), counts it.

    Every command passes through here: what it does is kept short, and measured (docs/performance.md).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
        given = headers.get(b"x-correlation-id", "")
        correlation_id = given if _CORRELATION_ID.fullmatch(given) else str(uuid4())
        state = scope.setdefault("state", {})
        state["correlation_id"], state["headers"] = correlation_id, headers
        method, started, answered = scope["method"], time.perf_counter(), False

        async def answer(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                correlated = (b"x-correlation-id", correlation_id.encode("latin-1"))
                message["headers"] = [*message["headers"], correlated, *_SECURITY, *state.get("more_headers", ())]
                if not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"].append((b"cache-control", b"no-store"))
                count, seconds = _metrics(method, message["status"])
                count.inc()
                seconds.observe(time.perf_counter() - started)
            await send(message)

        outer = CORRELATION_ID.set(correlation_id)
        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:
            # Here, and not in starlette's own outermost handler, so that faults are counted and correlated too.
            if answered:
                raise
            await problem_response(internal_error(Request(scope), error))(scope, receive, answer)
        finally:
            CORRELATION_ID.reset(outer)


@lru_cache(maxsize=1000)
def _metrics(method: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, status), SECONDS.labels(method)


def correlation_id(request: Request) -> str:
    """The correlation id that `Observed` gave a request."""
    return str(request.scope["state"]["correlation_id"])


def header(request: Request, name: bytes) -> str | None:
    """A header of a request by its lower-case name: the first, where it came more than once."""
    found: str | None = request.scope["state"]["headers"].get(name)
    return found


def add_headers(request: Request, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Adds headers to a request's answer, whatever that turns out to be."""
    request.scope["state"].setdefault("more_headers", []).extend(headers)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem document as a response."""
    body = orjson.dumps(problem.model_dump(exclude_none=True), option=orjson.OPT_APPEND_NEWLINE)
    return Response(body, problem.status, headers, "application/problem+json")


def answer_error(request: Request, error: Exception) -> Response:
    """The problem document for whatever was raised."""
    if isinstance(error, HTTPException):
        phrase = HTTPStatus(error.status_code).phrase
        problem = Problem(title=phrase, status=error.status_code, detail=error.detail, correlation_id=correlation_id(request))
        return problem_response(problem, error.headers)
    if not isinstance(error, CaudalError) or (problem := problem_of(error, correlation_id(request))).status == 500:
        return problem_response(internal_error(request, error))
    headers: dict[str, str] = {}
    if isinstance(error, TooLarge):
        headers["Connection"] = "close"  # the rest of the body is not worth receiving
    if isinstance(error, Unavailable | TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, TooManyRequests):
        add_headers(request, error.headers)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = _CHALLENGE + (f', error="invalid_token", {_said(error)}' if error.had_token else "")
    if isinstance(error, Forbidden):
        headers["WWW-Authenticate"] = f'{_CHALLENGE}, error="insufficient_scope", {_said(error)}'
    return problem_response(problem, headers)


def _said(error: CaudalError) -> str:
    """An error in the characters that a challenge may have (RFC 6750, 3)."""
    return f'error_description="{_NOT_IN_CHALLENGES.sub("?", error.detail)}"'


def internal_error(request: Request, error: Exception) -> Problem:
    """The problem document of a fault of ours; what it was goes to the log, not to the client."""
    _log.error("a request failed", path=request.url.path, exc_info=error)
    return problem_of(CaudalError(str(error)), correlation_id(request))


EXCEPTION_HANDLERS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    CaudalError: answer_error,
    HTTPException: answer_error,
}


def operations_routes(checks: Mapping[str, Check]) -> list[Route]:
    """``/livez``, ``/readyz`` (which says why not), the same as ``/health``, and ``/metrics``."""

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
        Route("/health", readyz),  # what the clients of the partner alliances ask
        Route("/metrics", metrics),
    ]
