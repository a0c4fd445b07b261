"""The stack of a run: a primary and a replica of PostgreSQL, a broker of any kind, and each process with a clock of its own."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from deploy.console.endpoints import Endpoints
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.process import ProcessSpec
from deploy.local.servers.embedded_broker import EmbeddedBroker
from deploy.local.supervisor import Supervised
from deploy.schemas.recorded_version import record_version
from streams.broker.provisioning import ensure_topics
from streams.discovery import installed_catalog
from streams.encryption.encryption import add_master_key
from streams.integrity.signing import complete_keys
from streams.migrations.migrate import migrate
from streams.security.token_keys import add_token_key
from streams.settings import PREFIX, Settings
from tests.brokers import Broker, local_broker, settings_for
from tests.chaos.clocks import Clocks
from tests.frozen import freeze, unfreeze
from tests.postgres import Cluster, replicated
from tests.stack import caudal, fetched, service, why_not_ready

SERVICES = ("command-api", "worker", "relay", "projectors", "query-api")
PROCESSES = (*SERVICES, "broker", "postgres")
CLOCKS = (*PROCESSES, "replica")
SYSTEM = "data_ingestion"
_SECURITY = ("broker_ca_file", "broker_sasl_mechanism", "broker_user", "broker_password")


class ChaosStack:
    """Runs one system, and starts a process again when it dies, as the supervisor of `caudal up` does."""

    def __init__(self, folder: Path, cluster: Cluster, broker: Broker, clocks: Clocks) -> None:
        self.data_dir, self.cluster, self.broker, self.clocks = folder, cluster, broker, clocks
        ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self._addresses = Endpoints(
            command_api=f"http://{LOOPBACK}:{ports['command-api']}",
            query_api=f"http://{LOOPBACK}:{ports['query-api']}",
            postgres=cluster.dsn,
            brokers=broker.bootstrap,
            data_dir=str(folder),
            log_dir=str(folder / "logs"),
            ports={**ports, "mail": 0},
            pid=os.getpid(),
            fetch_backoff=isinstance(broker, EmbeddedBroker),
            systems=[SYSTEM],
        )
        self.endpoints: Mapping[str, Any] = asdict(self._addresses)
        self.commands = httpx.AsyncClient(base_url=self._addresses.command_api, timeout=30, verify=False)
        self._running: dict[str, Supervised] = {}
        self._kept: dict[str, asyncio.Task[None]] = {}

    @property
    def settings(self) -> Settings:
        """The settings of a process of this stack."""
        return self._addresses.applied_to(settings_for(self.broker)).model_copy(update=self._security)

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables with which a process joins this stack."""
        shown = {
            f"{PREFIX}{name.upper()}": value.get_secret_value() if name == "broker_password" else str(value)
            for name, value in self._security.items()
            if value is not None
        }
        return {
            **self._addresses.environment,
            **shown,
            "CAUDAL_RELAY_LEASE_SECONDS": "2",
            "CAUDAL_STALL_SECONDS": "2",
            "CAUDAL_BROKER_TIMEOUT_SECONDS": "5",
        }

    @property
    def _security(self) -> Mapping[str, Any]:
        """The settings for a broker with TLS and users."""
        settings = settings_for(self.broker)
        return {name: getattr(settings, name) for name in _SECURITY}

    async def start(self) -> None:
        """Starts everything and returns when all of it is ready."""
        keys = self._addresses.signing_key
        keys.parent.mkdir(mode=0o700)
        complete_keys(keys, self._addresses.public_key)
        add_master_key(self._addresses.master_keys, "local")
        add_token_key(self._addresses.token_keys)
        await self._start_broker()
        catalog = installed_catalog([SYSTEM])
        await migrate(self.settings, catalog)
        await record_version(self.settings, catalog)
        await ensure_topics(self.settings, catalog)
        await asyncio.gather(*(self._run(name, self._service(name)) for name in SERVICES))
        self.keep_postgres()

    def keep_postgres(self) -> None:
        """Starts a server of PostgreSQL again when it dies, from now on."""
        for name, node in (("postgres", self.cluster.primary), ("replica", self.cluster.replica)):
            self._running[name] = node.supervised
            self._kept[name] = asyncio.create_task(node.supervised.keep())

    async def leave_postgres(self) -> None:
        """No longer starts a server of PostgreSQL again that dies."""
        for name in ("postgres", "replica"):
            await self._ended(self._kept.pop(name))

    def check(self) -> None:
        """Raises what has ended the supervision of a process."""
        for task in self._kept.values():
            if task.done():
                task.result()

    async def stop(self) -> None:
        for task in self._kept.values():
            await self._ended(task)
        servers = ("broker", "postgres", "replica")
        await asyncio.gather(*(one.stop() for name, one in self._running.items() if name not in servers))
        await asyncio.gather(*(one.stop() for name, one in self._running.items() if name in servers))
        await self.commands.aclose()

    def pid_of(self, name: str) -> int:
        """The process id of one of the stack's processes."""
        pid = self._running[name].pid
        assert pid is not None, f"{name} does not run"
        return pid

    def kill(self, name: str) -> None:
        """SIGKILL to one of the stack's processes."""
        os.kill(self.pid_of(name), signal.SIGKILL)

    @asynccontextmanager
    async def frozen(self, name: str) -> AsyncIterator[None]:
        """Freezes a process and its children during the block."""
        process = psutil.Process(self.pid_of(name))
        family = [process.pid]
        try:
            freeze(process.pid)  # from then on it starts no child
            for child in process.children(recursive=True):
                with suppress(psutil.NoSuchProcess, ProcessLookupError):
                    family.append(child.pid)
                    freeze(child.pid)
            yield
        finally:
            for pid in family:
                with suppress(ProcessLookupError):
                    unfreeze(pid)

    async def wipe_broker(self) -> None:
        """Kills the broker, removes its data, and starts it again."""
        await self._ended(self._kept.pop("broker"))
        with suppress(AssertionError, ProcessLookupError):  # it may be down from the last time
            self.kill("broker")
        await self._running["broker"].stop()
        for folder in ("broker", "kafka/data/logs", "kafka/logs"):
            shutil.rmtree(self.data_dir / folder, ignore_errors=True)
        await self._start_broker()

    async def why_not_ready(self, name: str) -> str | None:
        """Why one of Caudal's processes is not ready, or `None`."""
        return await why_not_ready(self.commands, self.endpoints["ports"][name])

    async def fetch(self, sql: str, *arguments: object) -> list[dict[str, Any]]:
        return await fetched(self.cluster.dsn, sql, *arguments)

    async def caudal(self, *arguments: str) -> tuple[int, str, str]:
        """Runs the command against this stack."""
        return await caudal(*arguments, environment=self.environment)

    async def _start_broker(self) -> None:
        await self.broker.prepare()
        await self._run("broker", replace(self.broker.process(), environment=self.clocks.environment("broker")))

    async def _run(self, name: str, spec: ProcessSpec) -> None:
        self._running[name] = Supervised(spec)
        await self._running[name].start()
        self._kept[name] = asyncio.create_task(self._running[name].keep())

    def _service(self, name: str) -> ProcessSpec:
        environment = {**self.environment, **self.clocks.environment(name), "CAUDAL_INSTANCE": "local"}
        port = self.endpoints["ports"][name]
        return service(name, port, self.data_dir / "logs", environment, partial(self.why_not_ready, name))

    async def _ended(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def chaos_stack(broker: str) -> AsyncIterator[ChaosStack]:
    """A stack on a broker of a kind of `tests.brokers`, ready; stopped at the end.

    Its folder is removed, except after a failure, whose logs are in it.
    """
    folder = Path(tempfile.mkdtemp(prefix="caudal-chaos-"))
    folder.chmod(0o711)  # PostgreSQL, as another user, reads its clock there
    moved = folder / "clocks"
    moved.mkdir()
    clocks = Clocks(moved)
    try:
        async with replicated(folder, *(clocks.environment(name) for name in ("postgres", "replica"))) as cluster:
            stack = ChaosStack(folder, cluster, local_broker(broker, folder), clocks)
            try:
                await stack.start()
                yield stack
            finally:
                await stack.stop()
    except BaseException:
        sys.stderr.write(f"The logs are in {folder}.\n")
        raise
    shutil.rmtree(folder, ignore_errors=True)
