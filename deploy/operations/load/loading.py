"""``caudal load``: a first pass over the whole file, and one that sends every record as a command, or only counts them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console

from deploy.console.async_command import leaves
from deploy.console.printing import counted
from deploy.console.progress import progress_bar
from deploy.operations.load.keyed_commands import KeyedCommand, Shape, keyed_commands
from deploy.operations.load.outcome import Outcome
from deploy.operations.load.pace import Pace
from deploy.operations.load.reading import FileOptions, read_records
from deploy.operations.load.record import Record
from deploy.operations.load.sending import Sender
from schemas.errors import CaudalError
from schemas.message import Command

_MAX_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class Load:
    """A file to load, and the way from its records to commands."""

    file: Path
    name: str
    """The command, as ``system/command``."""
    options: FileOptions
    shape: Shape

    def records(self) -> Iterator[Record]:
        """Yields the records of the file; raises `Malformed` like `read_records`."""
        return read_records(self.file, self.options)

    def commands(self, outcome: Outcome, command: type[Command] | None = None) -> Iterator[KeyedCommand]:
        """Yields the commands; the outcome gets the records that cannot be sent."""
        return keyed_commands(self.records(), self.name, self.shape, self.options, outcome.reject, command)


async def load_file(load: Load, url: str, *, batch: int, connections: int, token: str | None = None) -> int:
    """Sends the commands to ``url``, and returns the exit code: 0 if every record was accepted.

    ``connections`` batches are in flight at once. Nothing is sent if the file is broken anywhere. Raises `Malformed` for such a
    file, and like `Sender.run`.
    """
    outcome, console = Outcome(), Console(stderr=True, highlight=False)
    ended_by: CaudalError | None = None
    with progress_bar(console, load.file.name, "records") as bar:
        total = sum(1 for _ in load.records())

        def show() -> None:
            bar.show(outcome.finished, total)

        show()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        connector, timeout = aiohttp.TCPConnector(limit=connections), aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:
            sender = Sender(session, url, load.commands(outcome), outcome, Pace(bar.say), batch=batch, say=bar.say)
            try:
                async with asyncio.TaskGroup() as senders:
                    for _ in range(connections):
                        senders.create_task(sender.run(show))
            except ExceptionGroup as group:
                # One error is reported, also if several senders failed.
                if (known := group.subgroup(CaudalError)) is None:
                    raise
                ended_by = leaves(known)[0]
        show()
    outcome.print_problems(console)
    console.print(str(outcome))
    if ended_by is not None:
        raise ended_by
    return 1 if outcome.failed else 0


def preview(load: Load, command: type[Command] | None) -> int:
    """Prints what a load would send, and what it would reject; returns the exit code: 0 if it would reject nothing.

    Without the class of the ``command`` its fields are not checked. Raises `Malformed` for a file that would not be loaded.
    """
    outcome, console = Outcome(), Console(highlight=False)
    columns = dict.fromkeys(column for record in load.records() for column in record.content or ())
    sendable = sum(1 for _ in load.commands(outcome, command))
    console.print(f"{load.file}: {counted(sendable + outcome.failed, 'record')}", markup=False, soft_wrap=True)
    shown = ", ".join(list(columns)[:_MAX_COLUMNS])
    more = f" and {len(columns) - _MAX_COLUMNS} more" if len(columns) > _MAX_COLUMNS else ""
    console.print(f"{counted(len(columns), 'column')}: {shown}{more}", markup=False, soft_wrap=True)
    outcome.print_problems(console)
    checked = "" if command is not None else " The fields are not checked: the system is not installed here."
    console.print(f"{sendable} would be sent, {outcome.failed} would be rejected. Nothing was sent.{checked}", soft_wrap=True)
    return 1 if outcome.failed else 0
