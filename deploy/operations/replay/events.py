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
from rich.table import Table

from deploy.console.places import parse_place
from deploy.console.printing import counted
from deploy.console.progress import progress_bar
from query_api.audit.history import Selection, bounds, described
from schemas.catalog import Catalog
from schemas.errors import NotFound
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

    @property
    def is_about_a_correlation(self) -> bool:
        """Whether every event of one correlation is asked for: then the log has it if it has one of them."""
        return self.correlation is not None and not (self.begin or self.end or self.stream or self.types)

    def selection(self, catalog: Catalog) -> Selection:
        """Returns the conditions and places; raises `Invalid`, and `NotFound` for an unknown event type."""
        conditions = Conditions(self.stream, catalog.stored_types(self.context, self.types) or None, self.correlation)
        places = ((self.begin, "--from"), (self.end, "--to"))
        return Selection(conditions, *(None if text is None else parse_place(text, name) for text, name in places))


async def replay(options: ReplayOptions, settings: Settings) -> None:
    """Prints the events to standard output and the progress to standard error.

    Raises `NotFound` for a context, an event type, a stream or a correlation that there is not.
    """
    catalog = installed_catalog(settings.systems)
    catalog.context(options.context)
    selection = options.selection(catalog)
    databases = Databases("caudal_reader", pool_size=1)
    errors = Console(stderr=True, highlight=False)
    shown = 0
    try:
        log = SearchableLog(Store.of_log(databases, settings.log_dsn(options.context), options.context), options.context)
        if options.stream is not None and not await log.version(options.stream):
            raise NotFound(f"there is no stream {options.stream!r} in {options.context}")
        after, up_to = await bounds(log, selection)
        if after >= up_to:
            errors.print(f"{options.context} has no events there: its log ends at {(await log.head()).position}", markup=False)
            return
        write = _writer(options.format)
        with progress_bar(errors, str(options.context), "positions") as bar:
            async for found in log.search(selection.conditions, after, up_to):
                if found.rows:
                    write(found.rows)
                shown += len(found.rows)
                bar.show(found.looked_up_to - after, up_to - after)
    finally:
        await databases.close()
    if not shown and options.is_about_a_correlation:
        raise NotFound(f"no event of {options.context} has the correlation {options.correlation!r}")
    if options.format == "table":
        errors.print(f"{counted(shown, 'event')} of {up_to - after:,}")


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
