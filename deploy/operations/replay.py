"""``caudal replay``: a log's events, with who and why, as a table, as lines of JSON or as CSV; and the causes of one."""

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.tree import Tree

from deploy.console.connection import connected
from query_api.audit.causation import Cause, causation_of
from query_api.audit.history import Selection, bounds, described
from schemas.catalog import Catalog, ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.log.search import SearchableLog
from streams.log.stored_events import StoredEvent, decode_metadata
from streams.settings import Settings

Format = Literal["table", "ndjson", "csv"]
_SHORT = 200
_WIDE = 200
_COLUMNS = (
    *("position", "recorded_at", "type", "stream", "version", "actor", "command", "command_id", "correlation_id"),
    *("causation_id", "data"),
)


@dataclass(frozen=True, slots=True)
class Replay:
    """What is to be shown of a log, and how."""

    context: ContextName
    selection: Selection
    format: Format


async def replay(asked: Replay, data_dir: Path, settings: Settings) -> int:
    """Prints the events to standard output and the progress to standard error; returns the exit code."""
    settings = connected(settings, data_dir)
    Catalog.installed(settings.systems).context(asked.context)
    databases = Databases("caudal_reader", pool_size=1)
    errors = Console(stderr=True, highlight=False)
    shown = 0
    try:
        log = SearchableLog(Store.of_log(databases, settings.log_dsn(asked.context), asked.context), asked.context)
        after, up_to = await bounds(log, asked.selection)
        write = _writer(asked.format)
        with _progress(errors) as progress:
            task = progress.add_task(f"{asked.context}", total=max(up_to - after, 1))
            async for found in log.search(asked.selection.conditions, after, up_to):
                if found.rows:
                    write(found.rows)
                shown += len(found.rows)
                progress.update(task, completed=found.looked_up_to - after)
    finally:
        await databases.close()
    if asked.format == "table":
        errors.print(f"{shown:,} events of {max(up_to - after, 0):,} looked at")
    return 0


async def show_causes(context: ContextName, position: int, data_dir: Path, settings: Settings) -> int:
    """Prints the tree of causes and effects that an event is part of."""
    settings = connected(settings, data_dir)
    catalog = Catalog.installed(settings.systems)
    catalog.context(context)
    databases = Databases("caudal_reader", pool_size=1)
    try:
        logs = SearchableLog.of_contexts(Installation(settings, catalog, databases), catalog.related(context.system))
        found = await causation_of(logs, context, position)
    finally:
        await databases.close()
    others = f", under which {found.others:,} more began" if found.others else ""
    tree = Tree(f"correlation {found.correlation_id}{others}")
    for root in found.roots:
        _grow(tree, root, (context, position))
    console = Console(highlight=False)
    console.print(tree)
    if not found.is_whole:
        console.print("Not every log was looked through to its end: later effects may be missing.", style="yellow")
    return 0


def _grow(tree: Tree, cause: Cause, marked: tuple[ContextName, int]) -> None:
    row, metadata = cause.row, decode_metadata(cause.row.metadata)
    by = f" by {metadata.actor}" if metadata.actor else ""
    here = "[bold]" if (cause.context, row.position) == marked else ""
    told = f"({cause.context} {row.position}, {row.stream} {row.version}) of {metadata.command or 'a command'}{by}"
    branch = tree.add(f"{here}{row.type}{'[/]' if here else ''} {escape(told)}")
    for effect in cause.effects:
        _grow(branch, effect, marked)


def _writer(format: Format) -> Callable[[Sequence[StoredEvent]], None]:
    """What prints events, some at a time."""
    if format == "ndjson":
        return lambda rows: _write("".join(orjson.dumps(described(r), option=orjson.OPT_UTC_Z).decode() + "\n" for r in rows))
    if format == "csv":
        writer = csv.DictWriter(sys.stdout, _COLUMNS)
        writer.writeheader()
        return lambda rows: writer.writerows(map(_fields, rows))
    return _print_table


def _print_table(rows: Sequence[StoredEvent]) -> None:
    table = Table(show_lines=True)
    table.add_column("Position", justify="right")
    for name in ("Event", "Stream and version", "Command, by whom and why", "Data"):
        table.add_column(name, overflow="fold")
    for row in rows:
        _add(table, row)
    Console(highlight=False, width=_width()).print(table)


def _width() -> int | None:
    return None if sys.stdout.isatty() else _WIDE


def _add(table: Table, row: StoredEvent) -> None:
    fields = _fields(row)
    data = str(fields["data"])
    by = f" by {fields['actor']}" if fields["actor"] else ""
    because = f"because of {fields['causation_id']}\n" if fields["causation_id"] else ""
    table.add_row(
        str(row.position),
        f"{row.type}\n{row.recorded_at.isoformat(sep=' ', timespec='milliseconds')}",
        escape(f"{row.stream}\n{row.version}"),
        escape(f"{fields['command'] or ''}{by}\n{because}in {fields['correlation_id']}"),
        escape(data if len(data) <= _SHORT else f"{data[: _SHORT - 1]}…"),
    )


def _write(text: str) -> None:
    sys.stdout.write(text)


def _fields(row: StoredEvent) -> Mapping[str, Any]:
    metadata = decode_metadata(row.metadata)
    return {
        "position": row.position,
        "recorded_at": row.recorded_at.isoformat(),
        "type": row.type,
        "stream": row.stream,
        "version": row.version,
        "actor": metadata.actor,
        "command": metadata.command,
        "command_id": metadata.command_id,
        "correlation_id": metadata.correlation_id,
        "causation_id": metadata.causation_id,
        "data": row.data,
    }


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
