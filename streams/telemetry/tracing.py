"""Traces: OpenTelemetry spans from a request, through its events' ``traceparent``, to the commits of the views.

Tracing is on if OpenTelemetry's own variables name an OTLP endpoint. Otherwise no span is made, and a request's
``traceparent`` is passed on unchanged. An event keeps the ``traceparent`` of the command that recorded it, so the spans of
relays, views and policies belong to that command's trace, in any process and at any time later.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import orjson
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.applications import Starlette
from starlette.routing import Match

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NOT_TRACED = "/livez,/readyz,/health,/metrics"
_KINDS = {"step": trace.SpanKind.INTERNAL, "publish": trace.SpanKind.PRODUCER, "process": trace.SpanKind.CONSUMER}

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_W3C = TraceContextTextMapPropagator()

_tracer: trace.Tracer | None = None


class TracedEvent(Protocol):
    """An event with what its span says of it."""

    @property
    def metadata(self) -> str | bytes:
        """JSON with the ``traceparent`` of its command."""
        ...

    @property
    def stream(self) -> str: ...

    @property
    def position(self) -> int: ...

    @property
    def type(self) -> str: ...


def configure_tracing(service: str, instance: str) -> None:
    """Sends this process's spans to the endpoint that OpenTelemetry's variables name; without one nothing is traced."""
    global _tracer  # noqa: PLW0603 - one tracer a process, as OpenTelemetry itself has it
    if not any(map(os.environ.get, _ENDPOINTS)) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    # Imported only here: exporter and SDK take as long to import as a small process.
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
    """Makes a span for each request of an application, named by its route."""
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
    """Returns whether a text is a W3C trace context."""
    return _TRACEPARENT.fullmatch(text) is not None


def current_traceparent() -> str | None:
    """Returns the W3C trace context of the current span; ``None`` if nothing is traced."""
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def current_trace_id() -> str | None:
    """Returns the id of the current trace as 32 hexadecimal digits; ``None`` if nothing is traced."""
    if _tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


@contextmanager
def traced(
    name: str, parent: str | None = None, kind: Literal["step", "process"] = "step", **attributes: str | int
) -> Iterator[str | None]:
    """Makes a span around a block, below ``parent`` or else below the current span.

    Yields the ``traceparent`` for what the block causes: ``parent`` itself if nothing is traced.
    """
    if _tracer is None:
        yield parent
        return
    above = None if parent is None else _context(parent)
    with _tracer.start_as_current_span(name, above, _KINDS[kind], attributes):
        yield current_traceparent()


def note_events(
    name: str, events: Iterable[TracedEvent], began_ns: int, kind: Literal["publish", "process"], why: str | None = None
) -> None:
    """Makes a span for each event of a batch, from ``began_ns`` (`time.time_ns`) until now; ``why`` is the error, if any."""
    if _tracer is None:
        return
    ended = time.time_ns()
    for event in events:
        parent = orjson.loads(event.metadata).get("traceparent")
        if parent is not None and not parent.endswith("-00"):  # sampled
            span = _tracer.start_span(name, _context(parent), _KINDS[kind], start_time=began_ns)
            span.set_attributes({"caudal.stream": event.stream, "caudal.position": event.position, "caudal.event": event.type})
            if why is not None:
                span.set_status(trace.StatusCode.ERROR, why)
            span.end(ended)


def _context(traceparent: str) -> Context:
    return _W3C.extract({"traceparent": traceparent}, Context())
