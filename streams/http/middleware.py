"""The middleware around every request of either API: context, metrics, security headers, and problems for faults."""

import time
from functools import lru_cache

from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import Overloaded
from streams.http.admission import LEAVE, REJECTED
from streams.http.problems import answer_error, internal_error, problem_response
from streams.http.request_context import RequestContext
from streams.telemetry.logging import CORRELATION_ID

SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
"""The headers of every answer that restrict what a browser does with it."""

REQUESTS = Counter("caudal_http_requests", "Requests answered.", ["method", "status"])
SECONDS = Histogram(
    "caudal_http_request_seconds",
    "Time to answer a request.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class Observed:
    """ASGI middleware that opens each request's context, counts the request and completes the headers of its answer.

    Every command passes through it: it does little, and what it costs is measured (docs/performance.md).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = RequestContext.open(scope)
        method, started, answered = scope["method"], time.perf_counter(), False

        def leave() -> None:
            if (one := scope.pop(LEAVE, None)) is not None:
                one()

        async def receive_if_accepted() -> Message:
            message = await receive()
            if REJECTED in scope:
                raise Overloaded
            return message

        async def answer(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                leave()  # and not at the end of the answer: a live view has none
                correlated = (b"x-correlation-id", context.correlation_id.encode("latin-1"))
                message["headers"] = [*message["headers"], correlated, *SECURITY, *context.answer_headers]
                if not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"].append((b"cache-control", b"no-store"))
                count, seconds = _metrics(method, message["status"])
                count.inc()
                seconds.observe(time.perf_counter() - started)
            await send(message)

        outer = CORRELATION_ID.set(context.correlation_id)
        try:
            if REJECTED in scope:
                await answer_error(Request(scope), Overloaded())(scope, receive, answer)
            else:
                await self._app(scope, receive_if_accepted, answer)
        except ClientDisconnect:
            return  # the client does not wait for an answer any more
        except Exception as error:
            # Here, and not in starlette's own outermost handler, so that faults are counted and correlated as well.
            if answered:
                raise
            await problem_response(internal_error(Request(scope), error))(scope, receive, answer)
        finally:
            leave()
            CORRELATION_ID.reset(outer)


@lru_cache(maxsize=1000)
def _metrics(method: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, status), SECONDS.labels(method)
