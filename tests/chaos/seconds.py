"""Second processes beside those of the stack: two of everything, some of which die at a point or have a faulty connection."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from deploy.local.ports import LOOPBACK, free_ports
from tests.stack import Stack

DOUBLED = ("relay", "worker", "projectors", "command-api")


@asynccontextmanager
async def second(
    stack: Stack, service: str, postgres_port: int | None = None, version: str | None = None
) -> AsyncIterator[tuple[Process, int]]:
    """A second process of a kind and its port, killed at the end.

    Its database is reached by another port if one is given, and its code is that of a version of `tests.chaos.versions`.
    """
    (port,) = free_ports(1)
    program = ("deploy.cli",) if version is None else ("tests.chaos.versions", version)
    process = await _started(stack, (*program, "serve", service, "--port", str(port)), postgres_port)
    try:
        yield process, port
    finally:
        await _killed(process)


async def migrate(stack: Stack, version: str) -> bool:
    """Runs `caudal migrate` of a version; returns whether it succeeded."""
    process = await _started(stack, ("tests.chaos.versions", version, "migrate"), None)
    return await process.wait() == 0


async def dies_at(stack: Stack, point: str, within_seconds: float) -> bool:
    """Runs a second process until it kills itself at a point; whether it came there in time."""
    (port,) = free_ports(1)
    process = await _started(stack, ("tests.chaos.failing", point, str(port)), None)
    try:
        await asyncio.wait_for(process.wait(), within_seconds)
    except TimeoutError:
        return False
    finally:
        await _killed(process)
    return process.returncode == -signal.SIGKILL


async def _started(stack: Stack, module: tuple[str, ...], postgres_port: int | None) -> Process:
    url = urlsplit(stack.endpoints["postgres"])
    if postgres_port is not None:
        url = url._replace(netloc=f"{url.username}@{LOOPBACK}:{postgres_port}")
    own = {
        "CAUDAL_WRITE_DSN": url.geturl(),
        "CAUDAL_READ_DSN": url.geturl(),
        "CAUDAL_INSTANCE": "second",
        "CAUDAL_RELAY_LEASE_SECONDS": "2",
        "CAUDAL_STALL_SECONDS": "2",
    }
    environment = {**os.environ, **stack.environment, **own}
    return await asyncio.create_subprocess_exec(sys.executable, "-m", *module, env=environment, stdout=DEVNULL, stderr=DEVNULL)


async def _killed(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
