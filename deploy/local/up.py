"""``caudal up``: starts the local stack, prints where everything is, and stops it again."""

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from deploy.console.async_command import leaves, print_error
from deploy.gateway.discovery import installed_gateways
from deploy.local.announcement import announce
from deploy.local.data_folder import locked_folder
from deploy.local.stack import Broker, Stack, choose_ports
from deploy.pages.discovery import installed_pages
from deploy.serving.shutdown import stopping_event
from schemas.errors import CaudalError
from streams.discovery import installed_catalog
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """The options of ``caudal up``."""

    data_dir: Path | None
    """``None`` for a new folder that is removed at the end."""
    broker: Broker
    automatic_ports: bool
    as_json: bool
    with_tokens: bool


async def run_stack(options: StackOptions, settings: Settings) -> int:
    """Runs until SIGINT or SIGTERM and returns the exit code: 0 after either, 1 after a failure, which is printed."""
    os.umask(0o077)  # its processes inherit it: no other user reads their files
    stopping = stopping_event()
    code = 0
    try:
        with locked_folder(options.data_dir) as folder:
            catalog = installed_catalog(settings.systems)
            gateways, pages = installed_gateways(catalog), installed_pages(catalog)
            ports = choose_ports(options.broker, gateways, pages, automatic=options.automatic_ports)
            await _run(Stack(folder, ports, options.broker, settings), options, stopping)
    except* CaudalError as failures:
        for failure in leaves(failures):
            print_error(failure.detail)
        code = 1
    return code


async def _run(stack: Stack, options: StackOptions, stopping: asyncio.Event) -> None:
    started = time.monotonic()
    try:
        if await _ends_first(asyncio.create_task(stack.start()), stopping):
            seconds = time.monotonic() - started
            announce(stack.endpoints, stack.notes, seconds, as_json=options.as_json, with_tokens=options.with_tokens)
            await _ends_first(asyncio.create_task(stack.watch()), stopping)
    finally:
        is_shown, out = bool(stack.processes) and not options.as_json, Console(stderr=True, highlight=False, soft_wrap=True)
        if is_shown:
            out.print("Stopping …")
        await stack.stop()
        if is_shown and options.data_dir is not None:
            out.print(f"Stopped; the data stays in {options.data_dir}", markup=False)


async def _ends_first(work: asyncio.Task[None], stopping: asyncio.Event) -> bool:
    """Waits for the work or the signal to stop and returns whether the work ended first; cancels it if not."""
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if work.done():
        await work
        return True
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return False
