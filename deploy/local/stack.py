"""The stack: PostgreSQL, broker, mail server and every process of Caudal, started and stopped together."""

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import httpx

from deploy.console.endpoints import STATE_FILE, Endpoints
from deploy.local.ports import LOOPBACK, free_ports, is_free, listens
from deploy.local.process import ProcessSpec
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.servers.kafka import KafkaBroker
from deploy.local.servers.postgres import EmbeddedPostgres
from deploy.local.supervisor import ReadyTimeout, Supervised
from deploy.pages.live_page import LivePage
from deploy.schemas.recorded_version import record_version
from query_api.http.schema_registry import PREFIX as SCHEMA_REGISTRY
from schemas.catalog import Catalog
from schemas.clients.gateway import Gateway
from schemas.errors import Misconfigured
from streams.broker.provisioning import ensure_topics
from streams.discovery import installed_catalog, installed_names
from streams.encryption.encryption import add_master_key
from streams.integrity.signing import complete_keys
from streams.migrations.migrate import is_refill, migrate
from streams.security.token_keys import add_token_key
from streams.settings import Settings

SERVICES = ("command-api", "worker", "relay", "projectors", "query-api", "operations")
DEFAULT_PORTS = {
    "command-api": 5001,
    "query-api": 5002,
    "operations": 5010,
    "worker": 5103,
    "relay": 5104,
    "projectors": 5105,
    "mail": 5106,
    "postgres": 15432,
    "broker": 19092,
}
CONTROLLER_PORT = 19093
"""Port of a real Kafka's controller."""

GATEWAY, PAGE = "gateway ", "page "
"""Begin the name of a gateway, and that of a live page, among the ports."""

Broker = Literal["embedded", "kafka"]


class Stack:
    """Everything that ``caudal up`` runs, with its data in one folder."""

    def __init__(self, data_dir: Path, ports: Mapping[str, int], broker: Broker, settings: Settings) -> None:
        self._data, self._ports = data_dir, ports
        self._systems = settings.systems or installed_names()  # one that is installed later does not run here
        self._logs = data_dir / "logs"
        self._postgres = EmbeddedPostgres(data_dir / "postgres", self._logs / "postgres.log", ports["postgres"])
        self._broker: EmbeddedBroker | KafkaBroker = (
            EmbeddedBroker(data_dir / "broker", self._logs / "broker.log", ports["broker"])
            if broker == "embedded"
            else KafkaBroker(data_dir / "kafka", self._logs / "broker.log", ports["broker"], ports["controller"])
        )
        self._options = {
            "CAUDAL_LOG_FORMAT": settings.log_format,
            "CAUDAL_LOG_LEVEL": settings.log_level,
            "CAUDAL_ALLOWED_HOSTS": settings.allowed_hosts or f"{LOOPBACK},localhost",
        }
        self._page_code = secrets.token_urlsafe(12)
        self._timeout = ReadyTimeout(settings.ready_seconds, settings.max_ready_seconds)
        self.processes: list[Supervised] = []
        self.notes: Sequence[str] = ()
        """Sentences about changes that the start has made."""

    @property
    def endpoints(self) -> Endpoints:
        """Addresses of everything that runs."""
        return Endpoints(
            command_api=f"http://{LOOPBACK}:{self._ports['command-api']}",
            query_api=f"http://{LOOPBACK}:{self._ports['query-api']}",
            postgres=self._postgres.dsn,
            brokers=self._broker.bootstrap,
            operations=f"http://{LOOPBACK}:{self._ports['operations']}",
            page_code=self._page_code,
            data_dir=str(self._data),
            log_dir=str(self._logs),
            schema_registry=f"http://{LOOPBACK}:{self._ports['query-api']}{SCHEMA_REGISTRY}",
            ports=dict(self._ports),
            pid=os.getpid(),
            systems=self._systems,
            gateways=self._addresses(GATEWAY),
            pages=self._addresses(PAGE),
            fetch_backoff=isinstance(self._broker, EmbeddedBroker),
        )

    async def start(self) -> None:
        """Starts everything and returns when all of it is ready. Raises `Misconfigured`, `CrashLoop` or `Unavailable`.

        Caudal's own processes take longest to load, so they start first and wait for the servers by themselves::

            services   load code ──────── wait ───┐ become ready (this time counts)
            postgres   start, migrate ────────────┤
            broker     start, create topics ──────┘ servers_ready
        """
        self._data.mkdir(parents=True, exist_ok=True)
        self._make_keys()
        settings = self.endpoints.applied_to(Settings())
        catalog = installed_catalog(settings.systems)
        await self._broker.prepare()  # before anything waits for it: it may have to be downloaded
        servers_ready = asyncio.Event()
        async with asyncio.TaskGroup() as parts:
            for name in SERVICES:
                parts.create_task(self._start(self._service(name), servers_ready))
            for process, what, addresses in self._fronts():
                parts.create_task(self._start(self._front(process, what, addresses), servers_ready))
            parts.create_task(self._start(self._mail()))
            parts.create_task(self._start_servers(settings, catalog, servers_ready))
        (self._data / STATE_FILE).write_text(self.endpoints.as_json())

    async def watch(self) -> None:
        """Keeps every process running until cancelled; raises `CrashLoop`."""
        async with asyncio.TaskGroup() as keeping:
            for supervised in self.processes:
                keeping.create_task(supervised.keep())

    async def stop(self) -> None:
        """Stops everything: Caudal's processes first, then the servers that they use."""
        with suppress(FileNotFoundError):
            (self._data / STATE_FILE).unlink()
        servers = [p for p in self.processes if p.spec.name in ("broker", "postgres")]
        await asyncio.gather(*(p.stop() for p in self.processes if p not in servers))
        await asyncio.gather(*(p.stop() for p in servers))

    def _make_keys(self) -> None:
        private, public = self.endpoints.signing_key, self.endpoints.public_key
        private.parent.mkdir(mode=0o700, exist_ok=True)
        complete_keys(private, public)
        if not self.endpoints.master_keys.exists():
            add_master_key(self.endpoints.master_keys, "local")
        if not any(self.endpoints.token_keys.glob("*.json")):
            add_token_key(self.endpoints.token_keys)

    async def _start_servers(self, settings: Settings, catalog: Catalog, ready: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as servers:
            servers.create_task(self._start_postgres(settings, catalog))
            servers.create_task(self._start_broker(settings, catalog))
        ready.set()

    async def _start_postgres(self, settings: Settings, catalog: Catalog) -> None:
        await self._postgres.prepare()
        await self._start(self._postgres.process())
        # A view whose columns changed is dropped and created again: the projectors refill it from the log.
        self.notes = [done for done in await migrate(settings, catalog, recreate_views=True) if is_refill(done)]
        await record_version(settings, catalog)

    async def _start_broker(self, settings: Settings, catalog: Catalog) -> None:
        await self._start(self._broker.process())
        await ensure_topics(settings, catalog)

    async def _start(self, spec: ProcessSpec, needs: asyncio.Event | None = None) -> None:
        supervised = Supervised(spec, self._timeout)
        self.processes.append(supervised)
        await supervised.start(needs)

    def _mail(self) -> ProcessSpec:
        port = self._ports["mail"]

        async def why_not_ready() -> str | None:
            return None if listens(port) else "it does not listen"

        return ProcessSpec(
            name="mail",
            command=(sys.executable, "-m", "deploy.local.servers.mail", str(port), str(self.endpoints.mailbox)),
            log=self._logs / "mail.log",
            why_not_ready=why_not_ready,
        )

    def _service(self, name: str) -> ProcessSpec:
        port = self._ports[name]
        operates = name == "operations"
        endpoints = self.endpoints if operates else replace(self.endpoints, postgres=self._postgres.dsn_of(name))
        more = ("--data-dir", str(self._data)) if operates else ()
        code = {"CAUDAL_PAGE_CODE": self._page_code} if operates else {}
        return ProcessSpec(
            name=name,
            command=(sys.executable, "-m", "deploy.cli", "serve", name, "--port", str(port), "--end-with-parent", *more),
            log=self._logs / f"{name}.log",
            why_not_ready=partial(_why_not_ready, port),
            environment={**endpoints.environment, **self._options, "CAUDAL_INSTANCE": "local", **code},
        )

    def _addresses(self, kind: str) -> dict[str, str]:
        return {
            name.removeprefix(kind): f"http://{LOOPBACK}:{port}" for name, port in self._ports.items() if name.startswith(kind)
        }

    def _fronts(self) -> list[tuple[str, str, Mapping[str, str]]]:
        """Returns the processes in front of the APIs that are needed: their service, what they serve, and its addresses."""
        endpoints = self.endpoints
        fronts = (("gateway", GATEWAY, endpoints.gateways), ("ui", PAGE, endpoints.pages))
        return [front for front in fronts if front[2]]

    def _front(self, service: str, kind: str, addresses: Mapping[str, str]) -> ProcessSpec:
        """One process for every gateway, and one for every page: each takes as much memory as an API."""
        ports = {name: self._ports[f"{kind}{name}"] for name in addresses}
        origins = {"CAUDAL_CORS_ORIGINS": "*"} if service == "gateway" else {}
        return ProcessSpec(
            name=service,
            command=(
                *(sys.executable, "-m", "deploy.cli", "serve", service, "--end-with-parent"),
                *(f"{name}:{port}" for name, port in ports.items()),
            ),
            log=self._logs / f"{service}.log",
            why_not_ready=partial(_why_not_ready, next(iter(ports.values()))),
            environment={**self.endpoints.environment, **self._options, "CAUDAL_INSTANCE": "local", **origins},
        )


def choose_ports(
    broker: Broker, gateways: Mapping[str, Gateway], pages: Mapping[str, LivePage], *, automatic: bool
) -> Mapping[str, int]:
    """Returns a port for each process, gateway and page; raises `Misconfigured` if a default port is taken."""
    of_gateways = {f"{GATEWAY}{name}": gateway.port for name, gateway in gateways.items()}
    of_pages = {f"{PAGE}{name}": page.port for name, page in pages.items()}
    wanted = {**DEFAULT_PORTS, **of_gateways, **of_pages, **({"controller": CONTROLLER_PORT} if broker == "kafka" else {})}
    if automatic:
        return dict(zip(wanted, free_ports(len(wanted)), strict=True))
    taken = {name: port for name, port in wanted.items() if not is_free(port)}
    if taken:
        listed = ", ".join(f"{port} ({name})" for name, port in taken.items())
        raise Misconfigured(f"taken by another program: port {listed}; `--ports auto` picks free ones")
    return wanted


async def _why_not_ready(port: int) -> str | None:
    if not listens(port):
        return "it does not listen"
    try:
        async with httpx.AsyncClient(timeout=5, verify=False) as client:  # plain HTTP: no certificates to load
            answer = await client.get(f"http://{LOOPBACK}:{port}/readyz")
    except httpx.HTTPError as error:
        return f"it does not answer: {str(error) or type(error).__name__}"
    return None if answer.status_code == 200 else answer.text
