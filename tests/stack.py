"""A whole stack of a test's own, run by `caudal up` as a user runs it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import httpx
import orjson
import psutil

from deploy.console.endpoints import Endpoints
from deploy.local.ports import LOOPBACK
from deploy.local.process import ProcessSpec
from streams.http.problems import PROBLEM_TYPE
from streams.security.tokens import TokenIssuer
from streams.settings import Settings

START_SECONDS = 120
"""The longest wait for a stack; it takes 12 s where nothing else runs."""
ONE_SYSTEM = {"CAUDAL_SYSTEMS": "data_ingestion"}
"""The environment of a stack whose other systems would only take time."""


class Stack(Protocol):
    """A running stack: its APIs, its database, its processes."""

    endpoints: Mapping[str, Any]
    data_dir: Path
    commands: httpx.AsyncClient

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables with which a process joins it."""

    def kill(self, name: str) -> None:
        """SIGKILL to one of the stack's processes."""

    async def why_not_ready(self, name: str) -> str | None:
        """Why one of Caudal's processes is not ready, or `None`."""

    async def fetch(self, sql: str, *arguments: object) -> list[dict[str, Any]]:
        """Runs a query in its database."""

    async def caudal(self, *arguments: str) -> tuple[int, str, str]:
        """Runs the command against this stack."""


class RunningStack:
    """A stack that `caudal up` runs."""

    def __init__(self, process: asyncio.subprocess.Process, endpoints: Mapping[str, Any]) -> None:
        self.process, self.endpoints = process, endpoints
        self.data_dir = Path(endpoints["data_dir"])
        # Own paths have errors in their clients' words unless a client asks for the engine's.
        self.commands, self.queries = (
            httpx.AsyncClient(base_url=endpoints[api], timeout=30, verify=False, headers={"Accept": PROBLEM_TYPE})
            for api in ("command_api", "query_api")
        )

    async def close(self) -> None:
        await self.commands.aclose()
        await self.queries.aclose()

    def pid_of(self, name: str) -> int:
        """The process id of one of the stack's processes."""
        marks = {"postgres": "bin/postgres", "broker": "noida-db", "mail": "deploy.local.servers.mail"}
        mark = marks.get(name, f"serve {name}")
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # one that has just died
                if mark in " ".join(child.cmdline()):
                    return child.pid
        raise AssertionError(f"{name} does not run")

    @property
    def environment(self) -> Mapping[str, str]:
        return Endpoints(**self.endpoints).environment

    def kill(self, name: str) -> None:
        """SIGKILL to one of the stack's processes."""
        os.kill(self.pid_of(name), signal.SIGKILL)

    async def why_not_ready(self, name: str) -> str | None:
        return await why_not_ready(self.commands, self.endpoints["ports"][name])

    def log(self, name: str) -> str:
        return (self.data_dir / "logs" / f"{name}.log").read_text(errors="replace")

    async def fetch(self, sql: str, *arguments: object) -> list[dict[str, Any]]:
        return await fetched(self.endpoints["postgres"], sql, *arguments)

    async def caudal(self, *arguments: str) -> tuple[int, str, str]:
        """Runs the command against this stack."""
        return await caudal(*arguments, "--data-dir", str(self.data_dir))

    def token(self, *roles: str, name: str = "somebody") -> dict[str, str]:
        """Returns the headers of a caller with these roles."""
        settings = Settings(token_keys=self.data_dir / "keys" / "tokens")
        return {"Authorization": f"Bearer {TokenIssuer(settings).issue(name, roles).text}"}

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 20)


async def why_not_ready(client: httpx.AsyncClient, port: int) -> str | None:
    """Why the process that serves a port is not ready, or `None`."""
    try:
        answer = await client.get(f"http://{LOOPBACK}:{port}/readyz", timeout=5)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return None if answer.status_code == 200 else answer.text


def service(
    name: str, port: int, logs: Path, environment: Mapping[str, str], why_not_ready: Callable[[], Awaitable[str | None]]
) -> ProcessSpec:
    """One of Caudal's processes without `caudal up`, with its log in a folder."""
    return ProcessSpec(
        name=name,
        command=(sys.executable, "-m", "deploy.cli", "serve", name, "--port", str(port), "--end-with-parent"),
        log=logs / f"{name}.log",
        why_not_ready=why_not_ready,
        environment=environment,
    )


async def fetched(dsn: str, sql: str, *arguments: object) -> list[dict[str, Any]]:
    """Runs a query on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return [dict(row) for row in await connection.fetch(sql, *arguments)]
    finally:
        await connection.close()


async def caudal(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Runs the `caudal` command to its end: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "160", **(environment or {})},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def running_stack(*arguments: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[RunningStack]:
    """`caudal up` with these arguments, ready; stopped at the end, and then nothing of it may be left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "up", "--ports", "auto", "--json", *(arguments or ("--ephemeral",))),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    try:
        stack = RunningStack(process, await _endpoints(process))
    except BaseException:
        if process.returncode is None:
            process.terminate()  # a stack that is left behind takes time from every other test
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
        raise
    family = psutil.Process(process.pid).children(recursive=True)
    try:
        yield stack
    finally:
        await stack.close()
        if process.returncode is None:
            family = psutil.Process(process.pid).children(recursive=True)
            await stack.stop()
        assert not left_over(family), "processes were left behind"


async def _endpoints(process: asyncio.subprocess.Process) -> Mapping[str, Any]:
    """Returns what a stack says of itself once it is ready."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        raise AssertionError(f"the stack was not ready within {START_SECONDS} s") from None
    assert line, f"the stack did not start: exit code {await process.wait()}"
    found: Mapping[str, Any] = orjson.loads(line)
    return found


def left_over(family: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those processes that still run."""
    return psutil.wait_procs(family, timeout=3)[1]
