"""Gateways before real APIs: their addresses, and two command APIs of which one is always being killed."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import cycle

import httpx
import orjson
import pytest

from deploy.gateway.discovery import installed_gateways
from deploy.local.ports import LOOPBACK, free_ports
from streams.discovery import installed_catalog
from tests.conftest import eventually
from tests.stack import ONE_SYSTEM, RunningStack, running_stack, why_not_ready

RATE = 200
"""Requests a second."""
SECONDS = 12


async def test_caudal_up_prints_the_address_of_each_gateway(stack: RunningStack) -> None:
    gateways: Mapping[str, str] = stack.endpoints["gateways"]

    assert gateways.keys() == installed_gateways(installed_catalog()).keys()
    for url in gateways.values():
        assert (await stack.commands.get(f"{url}/health")).status_code == 200
    code, out, _ = await stack.caudal("status")
    assert code == 0
    assert "gateway clinical_lab" in out


async def test_a_client_without_tokens_reads_what_it_wrote(stack: RunningStack) -> None:
    url = stack.endpoints["gateways"]["data_ingestion"]
    for n in range(20):
        written = await stack.commands.post(f"{url}/ingest", json={"partner_id": "gateway", "payload": {"n": n}})
        read = await stack.commands.get(f"{url}/query/{written.json()['data_id']}")
        assert read.status_code == 200, f"write {n} was not seen"


async def test_the_addresses_of_clients_reach_the_apis(stack: RunningStack) -> None:
    url = stack.endpoints["gateways"]["clinical_lab"]
    wrong = {"username": "nobody-at-all", "password": "wrong-password"}
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address="127.0.0.9")) as elsewhere:
        for _ in range(5):
            assert (await elsewhere.post(f"{url}/login", json=wrong)).status_code == 401
        assert (await elsewhere.post(f"{url}/login", json=wrong)).status_code == 403
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address="127.0.0.8")) as here:
        other = {**wrong, "username": "somebody-else"}
        assert (await here.post(f"{url}/login", json=other)).status_code == 401


@pytest.mark.timeout(480)
async def test_no_acknowledged_request_is_lost_or_doubled_while_command_apis_are_killed() -> None:
    ports = free_ports(3)
    *apis, own = ports
    async with running_stack(environment=ONE_SYSTEM) as stack, AsyncExitStack() as running:
        slots = [await running.enter_async_context(Slot.running(stack, port, "command-api")) for port in apis]
        addresses = ",".join(f"http://{LOOPBACK}:{port}" for port in apis)
        gateway = Slot.running(stack, own, "gateway", f"data_ingestion:{own}", CAUDAL_COMMAND_APIS=addresses)
        await running.enter_async_context(gateway)
        outcomes: Counter[int] = Counter()
        acknowledged: dict[int, str] = {}
        killing = asyncio.create_task(keep_killing(slots))
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{own}", timeout=60, limits=limits) as client:
            await send_all(client, outcomes, acknowledged)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing

        rows = await stack.fetch("select data from data_ingestion__ingestion.events where type = 'DataReceived'")
        events = [orjson.loads(row["data"]) for row in rows]
        doubled = [n for n, times in Counter(event["payload"]["n"] for event in events).items() if times > 1]
        lost = acknowledged.items() - {(event["payload"]["n"], event["data_id"]) for event in events}
        assert not lost, f"of {outcomes}, {len(lost)} were acknowledged and are lost"
        assert not doubled, f"of {outcomes}, {len(doubled)} are there twice"
        assert sum(slot.kills for slot in slots) >= 2
        assert outcomes[201] > 0.95 * RATE * SECONDS, outcomes
        code, out, err = await stack.caudal("verify")
        assert code == 0, out + err


class Slot:
    """A process on a fixed port, which a test kills and starts again."""

    def __init__(self, stack: RunningStack, port: int, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._stack, self._port, self._arguments, self._environment = stack, port, arguments, environment
        self._process: Process | None = None
        self.kills = 0

    @classmethod
    @asynccontextmanager
    async def running(cls, stack: RunningStack, port: int, *arguments: str, **environment: str) -> AsyncIterator["Slot"]:
        if arguments[0] != "gateway":
            arguments = (*arguments, "--port", str(port))
        slot = cls(stack, port, arguments, environment)
        await slot.start()
        try:
            yield slot
        finally:
            await slot.kill()

    async def start(self) -> None:
        """Starts the process and waits until it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli", "serve", *self._arguments),
            env={**os.environ, **self._stack.environment, **self._environment},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(self._is_ready, 60, f"{self._arguments} to be ready")

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self.kills += 1

    async def _is_ready(self) -> bool:
        return await why_not_ready(self._stack.commands, self._port) is None


async def keep_killing(slots: Sequence[Slot]) -> None:
    """Kills one process after the other, each when the one before it is back, until cancelled."""
    for slot in cycle(slots):
        await asyncio.sleep(2)
        await slot.kill()
        await slot.start()


async def send_all(client: httpx.AsyncClient, outcomes: Counter[int], acknowledged: dict[int, str]) -> None:
    """Sends requests at a steady rate, whether or not they are answered, and waits for all answers."""

    async def send(n: int) -> None:
        answer = await client.post("/ingest", json={"partner_id": "steady", "payload": {"n": n}})
        outcomes[answer.status_code] += 1
        if answer.status_code == 201:
            acknowledged[n] = answer.json()["data_id"]

    loop = asyncio.get_running_loop()
    began, sending = loop.time(), []
    for n in range(RATE * SECONDS):
        await asyncio.sleep(max(0, began + n / RATE - loop.time()))
        sending.append(asyncio.create_task(send(n)))
    await asyncio.gather(*sending)
