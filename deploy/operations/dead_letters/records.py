"""Parked records: those on topics of commands and on incoming topics that are no commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field, TypeAdapter
from rich.console import Console
from rich.markup import escape

from deploy.console.printing import ago, counted, printable
from deploy.operations.dead_letters.listing import text_of
from deploy.operations.installation import OpenInstallation
from deploy.operations.reading import BODIES, Reading
from deploy.operations.run import Parameters
from schemas.errors import NotFound
from streams.broker.topic_names import Topics
from streams.commands.parked_records import ParkedRecord, newest_parked


class RecordFilter(Parameters):
    """The records to list."""

    topic: str | None = Field(default=None, description="Only those that came on this topic.")
    limit: int = Field(default=100, ge=1, le=10_000, description="How many of each partition, the newest.")


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """A record that was no command, with the reason."""

    place: str
    """Its place on the dead-letters topic: ``topic/partition@offset``."""
    origin: str
    """The place at which it came."""
    error: str
    at: datetime
    size: int
    """Bytes of its value; 0 also for one that was not kept, because it may hold personal data."""
    beginning: str | None
    """The first bytes of its value as text."""


async def list_records(installation: OpenInstallation, wanted: RecordFilter) -> Sequence[ListedRecord]:
    """Lists the newest records on topics of commands and on incoming topics that are no commands.

    Raises `NotFound` for a topic on which no commands come.
    """
    settings, catalog = installation.settings, installation.catalog
    names = Topics(settings, catalog)
    known = {names.commands(context) for context in catalog.contexts}
    known |= {names.integration(one.topic) for context in catalog.contexts for one in catalog.incoming(context)}
    if wanted.topic is not None and wanted.topic not in known:
        raise NotFound(f"no commands come on {wanted.topic!r}; they come on {', '.join(sorted(known))}")
    return list(map(listed_record, await newest_parked(settings, catalog, wanted.topic, wanted.limit)))


def listed_record(record: ParkedRecord) -> ListedRecord:
    """Returns a record with the beginning of its value as text."""
    beginning = text_of(record.beginning) if record.size else None
    return ListedRecord(record.place, record.origin, record.error, record.at, record.size, beginning)


def print_records(records: Sequence[ListedRecord], out: Console, now: datetime) -> None:
    """Prints each with its error, then their number."""
    for record in records:
        out.print(f"[bold]{escape(record.place)}[/]")  # alone in its line, to be copied
        kept = counted(record.size, "byte") if record.size else "without a value"
        out.print(f"  from {record.origin}: {ago(record.at, now)}, {kept}", markup=False)
        out.print(f"  {printable(record.error[:300])}", markup=False)
    out.print("1 record that is no command" if len(records) == 1 else f"{len(records):,} records that are no commands")


RECORDS = Reading("dead-letters/records", RecordFilter, list_records, TypeAdapter(Sequence[ListedRecord]), access=BODIES)
