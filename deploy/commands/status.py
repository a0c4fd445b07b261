"""The command ``caudal status``, once or again and again."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.orders.order import Question, Token, Url
from deploy.console.async_command import async_command, print_error
from deploy.console.endpoints import Endpoints, recorded_stack
from deploy.console.options import DEFAULT_DATA_DIR, AsJson, DataDir, flag
from deploy.console.printing import console
from deploy.local.ports import listens
from schemas.errors import NotFound

if TYPE_CHECKING:
    from deploy.operations.installation import OpenInstallation
    from deploy.operations.status.reading import StatusReport

REFRESH_SECONDS = 2.0
EXIT_CODES: Mapping[str, int] = {"healthy": 0, "attention": 1, "down": 2}


@async_command
async def status(
    everything: Annotated[bool, flag("--all", help="Also list what is idle or up to date.")] = False,
    watch: Annotated[bool, flag("--watch", help="Refresh every two seconds until Ctrl-C.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> int:
    """Say whether everything is healthy, and what is not. Exit code 0: healthy, 1: needs attention, 2: something is down."""
    from deploy.commands.orders.carrying_out import answer, connected_installation
    from deploy.operations.status.reading import STATUS, WholeStatus
    from deploy.operations.status.tables import report

    def show(found: "StatusReport") -> None:
        console().print(report(found, datetime.now(UTC), everything=everything))

    if watch and (as_json or url):
        raise typer.BadParameter("--watch excludes --json and --url")
    try:
        if watch:
            async with connected_installation(data_dir) as installation:
                return await _watch(installation, everything=everything)
        question = Question(STATUS, WholeStatus(), show, lambda found: EXIT_CODES[found.health])
        return await answer(question, as_json=as_json, url=url, token=token, data_dir=data_dir)
    except NotFound as error:
        print_error(_left_behind(data_dir.resolve()) or error.detail)
        return EXIT_CODES["down"]


async def _watch(installation: "OpenInstallation", *, everything: bool) -> int:
    """Prints the status again and again until Ctrl-C; returns the exit code of the last one."""
    from rich.live import Live

    from deploy.operations.status.collecting import StatusCollector
    from deploy.operations.status.reading import read_status
    from deploy.operations.status.tables import report

    code, stopping, collector = EXIT_CODES["down"], asyncio.Event(), StatusCollector(installation)
    # Not by a cancellation, which can get lost while a connection is made.
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopping.set)
    try:
        with Live(console=console(), auto_refresh=False, screen=console().is_terminal) as live:
            while not stopping.is_set():
                found = await read_status(collector)
                code = EXIT_CODES[found.health]
                live.update(report(found, datetime.now(UTC), everything=everything), refresh=True)
                with suppress(TimeoutError):
                    async with asyncio.timeout(REFRESH_SECONDS):
                        await stopping.wait()
    finally:
        await collector.close()
    return code


def _left_behind(data_dir: Path) -> str | None:
    """Returns a sentence about processes that still run although their supervisor is gone, if there are any."""
    stack = recorded_stack(data_dir)
    left = [] if stack is None else _still_running(stack)
    if stack is None or not left:
        return None
    return (
        f"the stack's supervisor (process {stack.pid}) is gone, but {', '.join(left)} still run without supervision; "
        "they end themselves within seconds, then `caudal up` starts the stack again"
    )


def _still_running(stack: Endpoints) -> list[str]:
    """Returns the processes of a stack whose ports accept connections."""
    return [name for name, port in stack.ports.items() if listens(port)]
