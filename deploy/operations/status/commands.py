"""``caudal status``, once or again and again."""

import asyncio
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from rich.live import Live

from deploy.console.async_command import print_error
from deploy.console.connection import connected, read_settings
from deploy.console.endpoints import Endpoints, recorded_stack, running_stack
from deploy.console.printing import console
from deploy.local.ports import listens
from deploy.operations.status.collecting import StatusCollector
from deploy.operations.status.health import EXIT_CODES, Finding, findings, health, out_of_reach
from deploy.operations.status.installation_status import InstallationStatus
from deploy.operations.status.tables import report
from schemas.errors import CaudalError, NotFound, Unavailable

REFRESH_SECONDS = 2.0


async def show_status(data_dir: Path, *, everything: bool, as_json: bool) -> int:
    """Prints the status once and returns the exit code: 0 healthy, 1 needs attention, 2 something is down."""
    try:
        collector = _collector(data_dir)
    except NotFound as error:
        print_error(_left_behind(data_dir) or error.detail)
        return EXIT_CODES["down"]
    try:
        status, found = await _looked(collector)
    finally:
        await collector.close()
    if as_json:
        sys.stdout.write(orjson.dumps(_content(status, found)).decode() + "\n")
    else:
        console().print(report(status, found, datetime.now(UTC), everything=everything))
    return EXIT_CODES[health(found)]


async def watch_status(data_dir: Path, *, everything: bool) -> int:
    """Prints the status again and again until Ctrl-C; returns the exit code of the last one."""
    try:
        collector = _collector(data_dir)
    except NotFound as error:
        print_error(_left_behind(data_dir) or error.detail)
        return EXIT_CODES["down"]
    code, stopping = EXIT_CODES["down"], asyncio.Event()
    # Not by a cancellation, which can get lost while a connection is made.
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopping.set)
    try:
        with Live(console=console(), auto_refresh=False, screen=console().is_terminal) as live:
            while not stopping.is_set():
                status, found = await _looked(collector)
                code = EXIT_CODES[health(found)]
                live.update(report(status, found, datetime.now(UTC), everything=everything), refresh=True)
                with suppress(TimeoutError):
                    async with asyncio.timeout(REFRESH_SECONDS):
                        await stopping.wait()
    finally:
        await collector.close()
    return code


def _collector(data_dir: Path) -> StatusCollector:
    return StatusCollector(connected(read_settings(), data_dir), running_stack(data_dir))


async def _looked(collector: StatusCollector) -> tuple[InstallationStatus, list[Finding]]:
    """Returns the status with what is wrong; a database that is out of reach is one of the findings."""
    try:
        status = await collector.collect()
    except Unavailable as error:
        status = InstallationStatus(processes=await collector.processes())
        return status, out_of_reach(status, error.detail, datetime.now(UTC))
    except CaudalError as error:
        status = InstallationStatus(processes=await collector.processes())
        return status, [Finding("attention", error.detail), *findings(status, datetime.now(UTC))]
    return status, findings(status, datetime.now(UTC))


def _left_behind(data_dir: Path) -> str | None:
    """Returns a sentence about processes that still run although their supervisor is gone, if there are any."""
    stack = recorded_stack(data_dir)
    left = [] if stack is None else still_running(stack)
    if stack is None or not left:
        return None
    return (
        f"the stack's supervisor (process {stack.pid}) is gone, but {', '.join(left)} still run without supervision; "
        "they end themselves within seconds, then `caudal up` starts the stack again"
    )


def still_running(stack: Endpoints) -> list[str]:
    """Returns the processes of a stack whose ports accept connections."""
    return [name for name, port in stack.ports.items() if listens(port)]


def _content(status: InstallationStatus, found: list[Finding]) -> dict[str, Any]:
    return {"health": health(found), "findings": [asdict(finding) for finding in found], **asdict(status)}
