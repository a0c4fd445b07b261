"""Load over processors: images are sent through a gateway and two command APIs, and recorded by three workers that share them.

Three loads follow each other: in the first nothing fails; in the second a worker and a command API are killed; during the third
a fourth worker starts.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

import aiohttp
import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.process import ProcessSpec
from deploy.local.supervisor import Supervised
from tests.stack import RunningStack, running_stack, service, why_not_ready

CONTEXT = "health_subscriptions.imaging"
GATEWAY = "health_subscriptions.bff"
WORKERS = ("worker", "worker-2", "worker-3")
ADDED = "worker-4"
IN_TIME_SECONDS = 2.0
IMAGE = {
    "id_imagen": "46769a88-181f-4468-8i34", "modalidad": "Rayos X", "patologia": "Neumonia", "region_anatomica": "Craneo",
    "formato_imagen": "DICOM", "fuente_de_datos": "Hospital X", "antecedentes": "fumador", "id_paciente": "46769a88-x",
    "fecha_ingesta": "2024-01-01 10:00:00",
}  # fmt: skip
"""The same one in each request, as the clients' load test has it: the images are distinguished by their commands."""


@dataclass(frozen=True, slots=True)
class Load:
    """Clients that begin one after the other within so many seconds, and send their requests one after the other."""

    clients: int
    seconds: float
    requests: int = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one load."""

    sent: int
    in_time: int
    """Requests that were answered with 202 within `IN_TIME_SECONDS`."""
    others: Sequence[str]
    """Other answers than 202, and errors."""
    recorded: int
    doubled: int
    lost: int
    after_last_answer: float
    """Seconds from the last answer until all images were recorded."""
    longest: float
    """The most seconds between a request and the recording of its image."""
    shares: Mapping[str, float]
    """Each worker's share of the images, of those workers that lived through the load."""
    busy: Mapping[str, float]
    """Each such worker's processor time, by the time of the load."""


@dataclass(frozen=True, slots=True)
class _Sent:
    command_id: str | None
    at: float
    seconds: float
    problem: str | None


class Processors:
    """The processes of the scenario."""

    def __init__(
        self, stack: RunningStack, gateway: str, workers: dict[str, Supervised | None], ports: Mapping[str, int]
    ) -> None:
        self._stack, self._gateway, self._workers, self._ports = stack, gateway, workers, ports
        self._added: Supervised | None = None

    async def under(self, load: Load, meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None) -> Outcome:
        """Sends a load, and returns its figures. The second half of the clients begins once what happens meanwhile is over."""
        before, processes = await self._handled(), {name: self._process(name) for name in self._workers}
        used, began = {name: _seconds_of(one) for name, one in processes.items()}, time.time()
        async with asyncio.TaskGroup() as tasks:
            happened = tasks.create_task(_nothing() if meanwhile is None else meanwhile())
            sending = tasks.create_task(_send(self._gateway, load, happened))
        sent, answered = sending.result(), time.time()
        ids = [one.command_id for one in sent if one.command_id is not None]
        recorded = await self._recorded(ids)
        after = max(0.0, max((at for at in recorded.values()), default=0.0) - answered)
        waits = [recorded[one.command_id] - one.at for one in sent if one.command_id in recorded]
        lived = [name for name, one in processes.items() if one.is_running()]
        after_load = await self._handled()
        handled = {name: after_load[name] - before.get(name, 0.0) for name in after_load if name in lived or name not in before}
        total = sum(handled.values())
        return Outcome(
            sent=len(sent),
            in_time=sum(one.problem is None and one.seconds <= IN_TIME_SECONDS for one in sent),
            others=[one.problem for one in sent if one.problem is not None],
            recorded=len(recorded),
            doubled=await self._doubled(),
            lost=len(set(ids) - recorded.keys()),
            after_last_answer=after,
            longest=max(waits, default=0.0),
            shares={name: count / total for name, count in handled.items()} if total else {},
            busy={name: (_seconds_of(processes[name]) - used[name]) / (time.time() - began) for name in lived},
        )

    async def kill_a_worker_and_a_command_api(self) -> None:
        """SIGKILL to one of each; the stack replaces both."""
        for name in ("worker", "command-api"):
            await asyncio.sleep(2)
            self._stack.kill(name)

    async def add_a_worker(self) -> None:
        """Starts a fourth worker."""
        await asyncio.sleep(1)
        added = Supervised(_worker(ADDED, self._ports[ADDED], self._stack))
        self._workers[ADDED] = self._added = added
        await added.start()

    async def close(self) -> None:
        """Ends the worker that was added."""
        if self._added is not None:
            await self._added.stop()

    def _process(self, name: str) -> psutil.Process:
        supervised = self._workers[name]
        pid = self._stack.pid_of(name) if supervised is None else supervised.pid
        assert pid is not None, f"{name} does not run"
        return psutil.Process(pid)

    async def _handled(self) -> dict[str, float]:
        """Returns how many images each worker that can be asked has recorded."""
        found: dict[str, float] = {}
        async with httpx.AsyncClient() as client:
            for name in self._workers:
                try:
                    text = (await client.get(f"http://{LOOPBACK}:{self._ports[name]}/metrics")).text
                except httpx.HTTPError:
                    continue
                samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
                found[name] = sum(
                    one.value
                    for one in samples
                    if one.name == "caudal_commands_total"
                    and one.labels == {"command": "anonymise-image", "outcome": "accepted"}
                )
        return found

    async def _recorded(self, ids: Sequence[str]) -> dict[str, float]:
        """Returns when the image of each command was recorded, once all of them were, or after half a minute."""
        wanted, found = set(ids), dict[str, float]()
        give_up = time.monotonic() + 30
        while wanted - found.keys() and time.monotonic() < give_up:
            rows = await self._stack.fetch(
                "select metadata->>'command_id' as id, extract(epoch from recorded_at)::float8 as at "
                "from health_subscriptions__imaging.events where metadata->>'command_id' = any($1)",
                ids,
            )
            found = {row["id"]: row["at"] for row in rows}
            await asyncio.sleep(0.2)
        return found

    async def _doubled(self) -> int:
        (row,) = await self._stack.fetch(
            "select count(*) - count(distinct metadata->>'command_id') as doubled from health_subscriptions__imaging.events"
        )
        return int(row["doubled"])


@asynccontextmanager
async def running_processors() -> AsyncIterator[Processors]:
    """Runs a gateway, two command APIs, and three workers of `CONTEXT` alone."""
    environment = {"CAUDAL_SYSTEMS": "health_subscriptions", "CAUDAL_CONTEXTS": CONTEXT}
    names = ("command-api-2", "gateway-2", *WORKERS[1:], ADDED)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    async with running_stack(environment=environment) as stack, AsyncExitStack() as others:
        ports["worker"] = stack.endpoints["ports"]["worker"]
        apis = [stack.endpoints["command_api"], f"http://{LOOPBACK}:{ports['command-api-2']}"]
        workers = {name: Supervised(_worker(name, ports[name], stack)) for name in WORKERS[1:]}
        started = [
            *workers.values(),
            Supervised(_second_api(ports["command-api-2"], stack)),
            Supervised(_gateway(ports, apis, stack)),
        ]
        for one in started:
            others.push_async_callback(one.stop)
        await asyncio.gather(*(one.start() for one in started))
        processors = Processors(stack, f"http://{LOOPBACK}:{ports['gateway-2']}", {"worker": None, **workers}, ports)
        others.push_async_callback(processors.close)
        yield processors


def _worker(name: str, port: int, stack: RunningStack) -> ProcessSpec:
    environment = {**stack.environment, "CAUDAL_CONTEXTS": CONTEXT, "CAUDAL_INSTANCE": name}
    return _named(name, service("worker", port, stack.data_dir / "logs", environment, _ready(stack, port)))


def _second_api(port: int, stack: RunningStack) -> ProcessSpec:
    environment = {**stack.environment, "CAUDAL_INSTANCE": "second"}
    return _named("command-api-2", service("command-api", port, stack.data_dir / "logs", environment, _ready(stack, port)))


def _gateway(ports: Mapping[str, int], apis: Sequence[str], stack: RunningStack) -> ProcessSpec:
    port = ports["gateway-2"]
    return ProcessSpec(
        name="gateway-2",
        command=(sys.executable, "-m", "deploy.cli", "serve", "gateway", f"{GATEWAY}:{port}", "--end-with-parent"),
        log=stack.data_dir / "logs" / "gateway-2.log",
        why_not_ready=_ready(stack, port),
        environment={**stack.environment, "CAUDAL_COMMAND_APIS": ",".join(apis)},
    )


def _named(name: str, spec: ProcessSpec) -> ProcessSpec:
    return replace(spec, name=name, log=spec.log.with_name(f"{name}.log"))


def _ready(stack: RunningStack, port: int) -> Callable[[], Awaitable[str | None]]:
    return lambda: why_not_ready(stack.commands, port)


async def _nothing() -> None:
    """Is what happens meanwhile where nothing does."""


async def _send(gateway: str, load: Load, happened: asyncio.Task[None]) -> list[_Sent]:
    """Sends a load; each client has a connection of its own."""
    half, gap = load.clients // 2, load.seconds / load.clients

    async def client(n: int) -> list[_Sent]:
        await asyncio.sleep(min(n, half) * gap)
        if n >= half:
            await asyncio.wait({happened})
            await asyncio.sleep((n - half) * gap)
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(30)) as session:
            return [await _request(session, gateway) for _ in range(load.requests)]

    return [one for sent in await asyncio.gather(*map(client, range(load.clients))) for one in sent]


async def _request(session: aiohttp.ClientSession, gateway: str) -> _Sent:
    at, began, id = time.time(), time.perf_counter(), None
    try:
        async with session.post(f"{gateway}/procesamiento/procesar-imagen", json=IMAGE) as answer:
            body: Any = await answer.json(content_type=None)
            id = answer.headers.get("Command-Id")
            problem = None if answer.status == 202 else f"{answer.status}: {body}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        problem = repr(error)
    return _Sent(id, at, time.perf_counter() - began, problem)


def _seconds_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def shown(outcome: Outcome) -> str:
    """Returns an outcome as one line."""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in outcome.shares.items())
    busy = mean(outcome.busy.values()) if outcome.busy else 0
    return (
        f"{outcome.in_time} of {outcome.sent} answered in time, {outcome.recorded} recorded {outcome.after_last_answer:.1f} s "
        f"after the last answer, the slowest after {outcome.longest:.1f} s; {shares}; workers {busy:.0%} of a core"
    )
