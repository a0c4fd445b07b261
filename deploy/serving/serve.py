"""One of Caudal's processes, from start to stop.

Each process imports its own room alone, and does not load what it does not run.
"""

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from socket import AF_INET, AF_INET6, create_server, has_dualstack_ipv6, socket
from typing import Literal, Protocol

import httpx
import structlog
import uvicorn
from prometheus_client import disable_created_metrics
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from deploy.serving.http_protocol import LimitedProtocol
from deploy.serving.shutdown import exit_after_grace
from schemas.catalog import Catalog
from schemas.errors import Misconfigured, Unavailable
from streams.database.identity import IDENTITIES, REPLACED
from streams.discovery import installed_catalog
from streams.http.admission import Admission
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.migrations.schema_state import wait_until_migrated
from streams.settings import Settings
from streams.telemetry.duties import reporting_failures
from streams.telemetry.retrying import reason
from streams.telemetry.tracing import configure_tracing, trace_requests

_ACCEPTS_PER_TURN = 16
"""Listening sockets of one address: the loop accepts one connection of each in a turn (libuv's pull request 3696)."""
_PING_SECONDS = 15.0
"""A WebSocket whose peer does not answer a ping for so long is closed."""
_MAX_SOCKET_BYTES = 4096
"""Bytes of one message that a client may send on a WebSocket."""
_log = structlog.get_logger()


class BackgroundWork(Protocol):
    """The work of a process that has no API of its own."""

    async def run(self) -> None:
        """Runs until cancelled."""

    async def why_not_ready(self) -> str | None:
        """Returns the reason why the work is not being done yet, or ``None``."""


Service = Literal["command-api", "worker", "relay", "projectors", "query-api"]
Make = Callable[[Settings, Catalog], Starlette | BackgroundWork]
"""Makes the work of a process."""


async def serve(service: Service, settings: Settings, host: str, port: int) -> None:
    """Runs one of the rooms' processes; see `serve_made`."""
    await serve_made(service, room_of(service), settings, host, port)


async def serve_made(name: str, make: Make, settings: Settings, host: str, port: int) -> None:
    """Runs a process's work beside its HTTP server; returns after SIGTERM or SIGINT, and raises what its work raises.

    ``make`` is loaded already: that takes a while, and the database may still be starting.
    """
    # Most objects live for one command or one batch: collecting generations less often saves a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which no dashboard reads
    configure_tracing(name, settings.instance)
    catalog = installed_catalog(settings.systems)
    await wait_until_migrated(settings, catalog)
    made = make(settings, catalog)
    if isinstance(made, Starlette):
        trace_requests(made)
        server = Server(made, host, port, settings)
        IDENTITIES.start_over = server.start_over
        await server.serve()
    else:
        server = await _serve_beside(made, host, port, settings)
    if server.starts_over:
        raise Unavailable(REPLACED)


async def serve_gateways(names: Sequence[str], settings: Settings, host: str) -> None:
    """Serves gateways, each ``NAME`` or ``NAME:PORT``, or all; returns after SIGTERM or SIGINT. It needs no database."""
    from deploy.gateway.app import Gateways
    from deploy.gateway.discovery import wanted_gateways
    from deploy.gateway.forwarding import client_session

    disable_created_metrics()  # type: ignore[no-untyped-call]
    configure_tracing("gateway", settings.instance)
    catalog = installed_catalog(settings.systems)
    wanted = wanted_gateways(names, catalog)
    async with client_session(settings) as session, asyncio.TaskGroup() as tasks:
        gateways = Gateways(wanted, settings, catalog, session)
        probing = tasks.create_task(gateways.keep_probed())
        sockets = [listening(host, port, f"the gateway {gateway.name}") for port, gateway in wanted.items()]
        for port, gateway in wanted.items():
            _log.info(
                "gateway listens",
                gateway=gateway.name,
                url=f"http://{host}:{port}",
                command_apis=settings.command_apis,
                query_apis=settings.query_apis,
            )
        await Server(gateways, host, next(iter(wanted)), settings).serve(sockets)
        probing.cancel()


async def serve_pages(names: Sequence[str], settings: Settings, host: str) -> None:
    """Serves live pages, each ``NAME`` or ``NAME:PORT``, or all; returns after SIGTERM or SIGINT. It needs no database."""
    from deploy.gateway.addresses import addresses_of
    from deploy.pages.app import Pages
    from deploy.pages.discovery import wanted_pages

    disable_created_metrics()  # type: ignore[no-untyped-call]
    configure_tracing("pages", settings.instance)
    catalog = installed_catalog(settings.systems)
    wanted, addresses = wanted_pages(names, catalog), addresses_of(settings, catalog)
    async with AsyncExitStack() as clients, asyncio.TaskGroup() as tasks:
        gateways = {
            page.system: await clients.enter_async_context(
                httpx.AsyncClient(base_url=addresses[page.system], timeout=settings.gateway_timeout_seconds)
            )
            for page in wanted.values()
            if page.posts
        }
        pages = Pages(wanted, settings, catalog, gateways)
        sockets = [listening(host, port, f"the page {page.name}") for port, page in wanted.items()]
        feeding = tasks.create_task(pages.keep_fed())
        for port, page in wanted.items():
            _log.info("page listens", page=page.name, url=f"http://{host}:{port}", topics=page.topics)
        await Server(pages, host, next(iter(wanted)), settings, with_sockets=True).serve(sockets)
        feeding.cancel()


def listening(host: str, port: int, who: str) -> socket:
    """Returns a socket that listens on an address; raises `Misconfigured`, with who wants it, if it cannot."""
    try:
        family = AF_INET6 if ":" in host else AF_INET
        return create_server((host, port), family=family, dualstack_ipv6=family is AF_INET6 and has_dualstack_ipv6())
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]  # without the address, which follows
        raise Misconfigured(f"{who} cannot listen on {host}:{port}: {why}") from error


def room_of(service: Service) -> Make:
    """Returns the maker of a process's work; imports the process's own room and no other."""
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


async def _serve_beside(work: BackgroundWork, host: str, port: int, settings: Settings) -> "Server":
    """Serves health and metrics beside the work; when one of the two ends, the other is stopped. Returns the server."""
    failure: str | None = None

    def note(error: Exception) -> None:
        nonlocal failure
        if failure is None:
            failure = reason(error)
            exit_after_grace()  # another part of the work may never end

    async def why_not_ready() -> str | None:
        return await work.why_not_ready() if failure is None else f"the process is ending: {failure}"

    app = Starlette(
        routes=operations_routes({"work": why_not_ready}),
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    server = Server(app, host, port, settings)
    IDENTITIES.start_over = server.start_over
    with reporting_failures(note):
        working = asyncio.create_task(work.run())

    def stop(_: asyncio.Task[None]) -> None:
        exit_after_grace()
        server.stop()

    working.add_done_callback(stop)
    try:
        await server.serve()
    finally:
        working.remove_done_callback(stop)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
    return server


class Server(uvicorn.Server):
    """uvicorn without its logs. A signal only asks it to stop, so that the work beside it stops in order too."""

    def __init__(self, app: ASGIApp, host: str, port: int, settings: Settings, *, with_sockets: bool = False) -> None:
        class Protocol(LimitedProtocol):
            max_head_bytes = settings.max_header_bytes
            seconds = settings.max_request_arrival_seconds
            admission = Admission(settings.max_requests_in_progress)
            allowed_hosts = frozenset(host.encode() for host in settings.allowed_hosts.split(",") if host)

        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="none",
            http=Protocol,
            ws="websockets-sansio" if with_sockets else "none",
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
            ws_max_size=_MAX_SOCKET_BYTES,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=settings.keep_alive_seconds,  # type: ignore[arg-type]
        )
        super().__init__(config)
        self.starts_over = False
        """Whether the process ends so that its supervisor starts it again."""

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serves until `stop`; listens on the given sockets, or on the configured address."""
        given = sockets or [listening(self.config.host, self.config.port, "the process")]
        await super().serve([own for one in given for own in (one, *(one.dup() for _ in range(_ACCEPTS_PER_TURN - 1)))])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Replaces uvicorn's handlers, which would raise the signal again after the server's end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        yield

    def _on_signal(self) -> None:
        exit_after_grace()
        self.stop()

    def start_over(self) -> None:
        """Asks the server to stop, and the process to end with an error."""
        self.starts_over = True
        self._on_signal()

    def stop(self) -> None:
        """Asks the server to stop."""
        self.handle_exit(signal.SIGTERM, None)  # ends live responses too
