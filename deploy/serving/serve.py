"""Serves one of Caudal's processes until it is told to stop.

Each process imports its own room alone: what a process does not run it need not load.
"""

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, Protocol

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from deploy.serving.http_protocol import LimitedProtocol
from schemas.catalog import Catalog
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.migrations.schema_state import wait_until_migrated
from streams.settings import Settings
from streams.telemetry.tracing import configure_tracing, trace_requests


class BackgroundWork(Protocol):
    """What a process without an API of its own does."""

    async def run(self) -> None: ...

    async def why_not_ready(self) -> str | None: ...


Service = Literal["command-api", "worker", "relay", "projectors", "query-api"]
_log = structlog.get_logger()


async def serve(service: Service, settings: Settings, host: str, port: int) -> None:
    """Runs a process's work beside its HTTP surface; returns after SIGTERM or SIGINT, raises where its work breaks down."""
    # Most objects here live for one command or one slice: collecting generations less often saves a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    configure_tracing(service, settings.instance)
    make = _room(service)  # loaded first: that takes as long as a database needs to start
    catalog = Catalog.installed(settings.systems)
    await wait_until_migrated(settings, catalog)
    made = make(settings, catalog)
    if isinstance(made, Starlette):
        trace_requests(made)
        await Server(made, host, port, settings).serve()
    else:
        await _serve_beside(made, host, port, settings)


def _room(service: Service) -> Callable[[Settings, Catalog], Starlette | BackgroundWork]:
    """What makes a process's work; imports the process's own room and no other."""
    match service:
        case "command-api":
            from command_api.app import make_app as make_command_api

            return make_command_api
        case "query-api":
            from query_api.app import make_app as make_query_api

            return make_query_api
        case "worker":
            from command_api.worker import Worker

            return Worker
        case "relay":
            from streams.relay.service import RelayService

            return RelayService
        case "projectors":
            from projectors.service import Projectors

            return Projectors


async def _serve_beside(work: BackgroundWork, host: str, port: int, settings: Settings) -> None:
    """Health and metrics for a process that works in the background; stops with whichever of the two ends first."""
    app = Starlette(
        routes=operations_routes({"work": work.why_not_ready}),
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    server = Server(app, host, port, settings)
    working = asyncio.create_task(work.run())
    working.add_done_callback(lambda _: server.stop())
    try:
        await server.serve()
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


class Server(uvicorn.Server):
    """uvicorn, quiet; a signal only asks it to stop, so that what is beside it is stopped in order too."""

    def __init__(self, app: Starlette, host: str, port: int, settings: Settings) -> None:
        class Protocol(LimitedProtocol):
            max_head_bytes = settings.max_header_bytes
            seconds = settings.max_request_arrival_seconds

        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="none",
            http=Protocol,
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        self.handle_exit(signal.SIGTERM, None)  # endless answers are told by it too
