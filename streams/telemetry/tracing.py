"""Traces: OpenTelemetry spans from a request, through its events' ``traceparent``, to the commits of the views.

They are on where OpenTelemetry's own variables name an OTLP endpoint; else nothing is made, and a request's ``traceparent``
is handed on as it came. An event keeps the ``traceparent`` of the command that recorded it, so what relays, views and
policies make of the event belongs to that command's trace, in whatever process and however much later.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import orjson
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.applications import Starlette
from starlette.routing import Match

from streams.log.stored_events import StoredEvent

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NOT_TRACED = "/livez,/readyz,/health,/metrics"
_KINDS = {"step": trace.SpanKind.INTERNAL, "publish": trace.SpanKind.PRODUCER, "process": trace.SpanKind.CONSUMER}

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_W3C = TraceContextTextMapPropagator()

_tracer: trace.Tracer | None = None


def configure_tracing(service: str, instance: str) -> None:
    """Sends this process's spans to the endpoint that is named; without one nothing is traced."""
    global _tracer  # noqa: PLW0603 - one tracer a process, as OpenTelemetry itself has it
    if not any(map(os.environ.get, _ENDPOINTS)) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    # Loaded where it is used alone: exporter and SDK take as long to import as a small process.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"caudal-{service}", "service.instance.id": instance})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("caudal")


def trace_requests(app: Starlette) -> None:
    """Gives each request of an application a span, named by its route."""
    if _tracer is None:
        return
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    def by_route(scope: Any) -> tuple[str, dict[str, Any]]:
        method = str(scope.get("method", ""))
        for route in app.routes:
            if route.matches(scope)[0] is Match.FULL:
                path = getattr(route, "path", "")
                return f"{method} {path}", {"http.route": path}
        return method, {}

    app.add_middleware(
        OpenTelemetryMiddleware,
        excluded_urls=_NOT_TRACED,
        default_span_details=by_route,
        exclude_spans=["receive", "send"],
    )


def is_traceparent(text: str) -> bool:
    """Whether a text is a W3C trace context."""
    return _TRACEPARENT.fullmatch(text) is not None


def current_traceparent() -> str | None:
    """The W3C trace context of the span that is under way; ``None`` where nothing is traced."""
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def current_trace_id() -> str | None:
    """The id of the trace that is under way, as 32 hexadecimal digits."""
    if _tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


@contextmanager
def traced(
    name: str, parent: str | None = None, kind: Literal["step", "process"] = "step", **attributes: str | int
) -> Iterator[str | None]:
    """A span around what happens within, below ``parent`` or else below the span that is under way.

    Gives the ``traceparent`` for what comes of it: ``parent`` itself where nothing is traced.
    """
    if _tracer is None:
        yield parent
        return
    above = None if parent is None else _context(parent)
    with _tracer.start_as_current_span(name, above, _KINDS[kind], attributes):
        yield current_traceparent()


def note_events(
    name: str, rows: Iterable[StoredEvent], began_ns: int, kind: Literal["publish", "process"], why: str | None = None
) -> None:
    """A span for each event of some that were dealt with together, from ``began_ns`` (`time.time_ns`) until now.

    ``why`` says what went wrong, where something did.
    """
    if _tracer is None:
        return
    ended = time.time_ns()
    for row in rows:
        parent = orjson.loads(row.metadata).get("traceparent")
        if parent is not None and not parent.endswith("-00"):  # sampled
            span = _tracer.start_span(name, _context(parent), _KINDS[kind], start_time=began_ns)
            span.set_attributes({"caudal.stream": row.stream, "caudal.position": row.position, "caudal.event": row.type})
            if why is not None:
                span.set_status(trace.StatusCode.ERROR, why)
            span.end(ended)


def _context(traceparent: str) -> Context:
    return _W3C.extract({"traceparent": traceparent}, Context())
