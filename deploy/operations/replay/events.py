"""``caudal replay``: a log's events as a table, as lines of JSON or as CSV."""

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TextIO

import orjson
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from deploy.console.places import parse_place
from deploy.console.printing import counted
from query_api.audit.history import Selection, bounds, described
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import StoredEvent, decode_metadata
from streams.settings import Settings

Format = Literal["table", "json", "csv"]
_MAX_DATA = 200
_WIDTH_OF_A_FILE = 200
_COLUMNS = (
    *("position", "recorded_at", "type", "stream", "version", "actor", "command", "command_id", "correlation_id"),
    *("causation_id", "data"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """The options of a replay."""

    context: ContextName
    begin: str | None
    end: str | None
    stream: str | None
    types: Sequence[str]
    correlation: str | None
    format: Format

    def selection(self, catalog: Catalog) -> Selection:
        """Returns the conditions and places; raises `Invalid`, and `NotFound` for an unknown event type."""
        conditions = Conditions(self.stream, catalog.stored_types(self.context, self.types) or None, self.correlation)
        places = ((self.begin, "--from"), (self.end, "--to"))
        return Selection(conditions, *(None if text is None else parse_place(text, name) for text, name in places))


async def replay(options: ReplayOptions, settings: Settings) -> None:
    """Prints the events to standard output and the progress to standard error.

    Raises `NotFound` for a context or an event type that there is not.
    """
    catalog = installed_catalog(settings.systems)
    catalog.context(options.context)
    selection = options.selection(catalog)
    databases = Databases("caudal_reader", pool_size=1)
    errors = Console(stderr=True, highlight=False)
    shown = 0
    try:
        log = SearchableLog(Store.of_log(databases, settings.log_dsn(options.context), options.context), options.context)
        after, up_to = await bounds(log, selection)
        write = _writer(options.format)
        with _progress(errors) as progress:
            task = progress.add_task(f"{options.context}", total=max(up_to - after, 1))
            async for found in log.search(selection.conditions, after, up_to):
                if found.rows:
                    write(found.rows)
                shown += len(found.rows)
                progress.update(task, completed=found.looked_up_to - after)
    finally:
        await databases.close()
    if options.format == "table":
        errors.print(f"{counted(shown, 'event')} of {max(up_to - after, 0):,}")


def _writer(format: Format) -> Callable[[Sequence[StoredEvent]], None]:
    """Returns what prints events, some at a time."""
    if format == "json":
        return partial(write_json, output=sys.stdout)
    if format == "csv":
        csv_writer(sys.stdout).writeheader()
        return partial(write_csv, output=sys.stdout)
    return _print_table


def write_json(rows: Sequence[StoredEvent], output: TextIO) -> None:
    """Writes events as JSON, one a line."""
    output.write("".join(orjson.dumps(described(row), option=orjson.OPT_UTC_Z).decode() + "\n" for row in rows))


def csv_writer(output: TextIO) -> "csv.DictWriter[str]":
    """Returns a writer of events as CSV."""
    return csv.DictWriter(output, _COLUMNS)


def write_csv(rows: Sequence[StoredEvent], output: TextIO) -> None:
    """Writes events as CSV, without the names of the columns."""
    csv_writer(output).writerows(map(_fields, rows))


def _print_table(rows: Sequence[StoredEvent]) -> None:
    width = None if sys.stdout.isatty() else _WIDTH_OF_A_FILE
    Console(highlight=False, width=width).print(event_table(rows))


def event_table(rows: Sequence[StoredEvent]) -> Table:
    """Returns a table with two lines of facts for each event, and its data below them."""
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        _add(table, row)
    return table


def _add(table: Table, row: StoredEvent) -> None:
    fields = _fields(row)
    data = str(fields["data"])
    by = f" by {fields['actor']}" if fields["actor"] else ""
    because = f", because of {fields['causation_id']}" if fields["causation_id"] else ""
    at = row.recorded_at.isoformat(sep=" ", timespec="milliseconds")
    lines = (
        f"[bold]{escape(row.type)}[/] {escape(f'{at} {row.stream} {row.version}')}",
        escape(f"{fields['command'] or 'a command'}{by} in {fields['correlation_id']}{because}"),
        f"[dim]{escape(data if len(data) <= _MAX_DATA else f'{data[: _MAX_DATA - 1]}…')}[/]",
    )
    table.add_row(str(row.position), "\n".join(lines))


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
