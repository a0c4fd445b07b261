"""Traces: one from a request to the commit of the view, over every process that had a part in it."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.local.ports import LOOPBACK, free_ports
from tests.conftest import eventually
from tests.stack import ONE_SYSTEM, RunningStack, running_stack

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
APPLIED = "apply data_ingestion.records"
STEPS = {
    ("caudal-command-api", "POST /ingest"),
    ("caudal-command-api", "handle data_ingestion.receive-data"),
    ("caudal-command-api", "append data_ingestion.ingestion"),
    ("caudal-relay", "publish data_ingestion.ingestion"),
    ("caudal-worker", "react data_ingestion.validate-what-is-ingested"),
    ("caudal-worker", "handle data_ingestion.validate-data"),
    ("caudal-worker", "append data_ingestion.validation"),
    ("caudal-relay", "publish data_ingestion.processing"),
}
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


@dataclass(frozen=True)
class Span:
    id: str
    parent: str
    service: str
    name: str


class Collector:
    """An OTLP endpoint that keeps the spans of each trace."""

    def __init__(self) -> None:
        self.traces: dict[str, list[Span]] = {}
        (port,) = free_ports(1)
        app = Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])])
        self._server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_config=None, lifespan="off"))
        self.url = f"http://{LOOPBACK}:{port}"

    async def serve(self) -> None:
        await self._server.serve()

    def stop(self) -> None:
        self._server.should_exit = True

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        sent = ExportTraceServiceRequest()
        sent.ParseFromString(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)
        for resource in sent.resource_spans:
            service = {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"]
            for scope in resource.scope_spans:
                for s in scope.spans:
                    span = Span(s.span_id.hex(), s.parent_span_id.hex(), service, s.name)
                    self.traces.setdefault(s.trace_id.hex(), []).append(span)
        return Response(b"", media_type="application/x-protobuf")


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    serving = asyncio.create_task(made.serve())
    yield made
    made.stop()
    await serving


@pytest.fixture(scope="module")
async def traced_stack(collector: Collector) -> AsyncIterator[RunningStack]:
    async with running_stack(environment={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **SOON, **ONE_SYSTEM}) as stack:
        yield stack


async def ingest(stack: RunningStack, trace: str, flags: str = "01") -> None:
    headers = {"traceparent": f"00-{trace}-{CALLER}-{flags}"}
    answer = await stack.commands.post("/ingest", json={"partner_id": "p", "payload": {"x": 1}}, headers=headers)
    assert answer.status_code == 201


async def test_a_trace_leads_from_the_request_to_the_view(traced_stack: RunningStack, collector: Collector) -> None:
    await ingest(traced_stack, TRACE)

    async def whole() -> bool:
        found = [(span.service, span.name) for span in collector.traces.get(TRACE, ())]
        return found.count(("caudal-projectors", APPLIED)) == 4 and set(found) >= STEPS

    await eventually(whole, what="a trace of every step")
    spans = {span.id: span for span in collector.traces[TRACE]}

    # Every step hangs below the request, and the request below its caller.
    assert {span.parent for span in spans.values()} - spans.keys() == {CALLER}
    assert [span.name for span in spans.values() if span.parent == CALLER] == ["POST /ingest"]
    views = [span for span in spans.values() if span.name == APPLIED]
    assert {spans[span.parent].service for span in views} == {"caudal-command-api", "caudal-worker"}


async def test_requests_that_the_caller_does_not_sample_leave_no_spans(
    traced_stack: RunningStack, collector: Collector
) -> None:
    unsampled, sampled = "1" * 32, "2" * 32
    await ingest(traced_stack, unsampled, "00")
    await ingest(traced_stack, sampled)

    async def arrived() -> bool:
        return any(span.name == APPLIED for span in collector.traces.get(sampled, ()))

    await eventually(arrived, what="the sampled trace")
    recorded = await traced_stack.fetch("select metadata->>'traceparent' as it from data_ingestion__ingestion.events")

    assert unsampled not in collector.traces
    assert {row["it"][-2:] for row in recorded if unsampled in row["it"]} == {"00"}


async def test_a_collector_that_is_gone_stops_nothing(traced_stack: RunningStack, collector: Collector) -> None:
    collector.stop()
    for _ in range(20):
        answer = await traced_stack.commands.post("/ingest", json={"partner_id": "alone", "payload": {}})
        assert answer.status_code == 201

    async def seen() -> bool:
        return len((await traced_stack.queries.get("/query/partner/alone")).json()) == 20

    await eventually(seen, what="twenty deliveries in the view")
    assert await traced_stack.stop() == 0
