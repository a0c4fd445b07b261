"""Parked records as text and as JSON."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from rich.console import Console
from rich.markup import escape

from deploy.console.printing import ago, counted, lines, printable
from deploy.operations.dead_letters.listing import text_of
from schemas.errors import NotFound
from streams.broker.topic_names import Topics
from streams.commands.parked_records import ParkedRecord, newest_parked
from streams.discovery import installed_catalog
from streams.settings import Settings


async def list_records(topic: str | None, limit: int, settings: Settings, *, as_json: bool) -> None:
    """Prints the newest records that are no commands, of all topics or of the one on which they came.

    Raises `NotFound` for a topic on which no commands come.
    """
    catalog = installed_catalog(settings.systems)
    names = Topics(settings, catalog)
    known = {names.commands(context) for context in catalog.contexts}
    known |= {names.integration(one.topic) for context in catalog.contexts for one in catalog.incoming(context)}
    if topic is not None and topic not in known:
        raise NotFound(f"no commands come on {topic!r}; they come on {', '.join(sorted(known))}")
    records = await newest_parked(settings, catalog, topic, limit)
    if as_json:
        sys.stdout.write(orjson.dumps(list(map(as_content, records))).decode() + "\n")
    else:
        print_records(records, lines(), datetime.now(UTC))


def print_records(records: Sequence[ParkedRecord], out: Console, now: datetime) -> None:
    """Prints each with its error, then their number."""
    for record in records:
        out.print(f"[bold]{escape(record.place)}[/]")  # alone in its line, to be copied
        kept = counted(record.size, "byte") if record.size else "without a value"
        out.print(f"  from {record.origin}: {ago(record.at, now)}, {kept}", markup=False)
        out.print(f"  {printable(record.error[:300])}", markup=False)
    out.print("1 record that is no command" if len(records) == 1 else f"{len(records):,} records that are no commands")


def as_content(record: ParkedRecord) -> dict[str, object]:
    """Returns the content of a record in ``--json``."""
    return {
        "place": record.place,
        "origin": record.origin,
        "error": record.error,
        "at": record.at,
        "size": record.size,
        "beginning": text_of(record.beginning) if record.size else None,
    }
