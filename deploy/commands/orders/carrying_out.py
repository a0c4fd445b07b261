"""The way in which orders are carried out and questions are answered: in this process, or behind a URL."""

import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import orjson
import typer

from command_api.composition import CommandIssuer
from deploy.commands.orders.order import Order, Question
from deploy.commands.orders.remote import Remote
from deploy.console.connection import settings_of, stack_of
from deploy.console.output import ConsoleOutput
from deploy.console.printing import lines
from deploy.operations.installation import OpenInstallation
from deploy.operations.journal import Journal
from deploy.operations.reading import Listing
from deploy.operations.run import Output
from deploy.operations.run_content import RunContent, RunRecorder


@asynccontextmanager
async def connected_installation(data_dir: Path, public_keys: Sequence[Path] = ()) -> AsyncIterator[OpenInstallation]:
    """Yields the installation that the environment names, else the stack that runs from ``data_dir``.

    Raises `NotFound` if there is neither.
    """
    settings = settings_of(data_dir)
    async with OpenInstallation(settings, partial(stack_of, settings, data_dir), public_keys) as installation:
        yield installation


async def carry_out(
    order: Order, *, apply: bool, reason: str, as_json: bool, url: str | None, token: str | None, data_dir: Path
) -> int:
    """Runs an operation, or only tries it, prints what it says, and returns the exit code; raises its errors."""
    content = RunContent.new(order.operation, order.parameters, getpass.getuser(), reason, apply=apply)
    recorder, console = RunRecorder(content), ConsoleOutput()
    out: Output = recorder if as_json else console
    try:
        if url is None:
            await _run_here(order, recorder, out, data_dir)
        else:
            async with Remote(url, token) as remote:
                recorder.content = await remote.run(order.operation, order.parameters, out, reason, apply=apply)
    finally:
        console.close()
    content = recorder.content
    if as_json:
        typer.echo(orjson.dumps(content, option=orjson.OPT_UTC_Z))
    elif content.state == "planned":
        lines().print("Nothing was changed. Add --apply to do this.")
    return 1 if content.problem is not None else 0


async def answer(question: Question, *, as_json: bool, url: str | None, token: str | None, data_dir: Path) -> int:
    """Reads and prints something, and returns the exit code: 1 if a database did not answer; raises the reading's errors."""
    reading = question.reading
    if url is None:
        async with connected_installation(data_dir) as installation:
            found = await reading.read(installation, question.parameters)
    else:
        async with Remote(url, token) as remote:
            found = await remote.read(reading, question.parameters)
    if as_json:
        typer.echo(reading.answer.dump_json(found))
    else:
        question.show(found)
    missing = found.out_of_reach if isinstance(found, Listing) else ()
    for why in () if as_json else missing:
        lines().print(f"Not shown: {why}", style="yellow", markup=False)
    return 1 if missing else question.exit_code(found)


async def _run_here(order: Order, recorder: RunRecorder, out: Output, data_dir: Path) -> None:
    content = recorder.content
    async with connected_installation(data_dir, order.public_keys) as installation:
        issuer = CommandIssuer(installation.settings, installation.catalog) if content.is_applied else None
        journal = None if issuer is None else Journal(issuer, content.actor, content.reason)
        try:
            recorder.end(await order.operation.run(UUID(content.id), order.parameters, installation, out, journal))
        finally:
            if issuer is not None:
                await issuer.close()
