"""Parked records as text and as JSON, and sending them again."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from rich.console import Console
from rich.markup import escape

from deploy.console.printing import ago, confirmed, counted, lines
from schemas.errors import NotFound, Rejected
from streams.commands.parked_records import ParkedRecord, newest_parked, send_again
from streams.discovery import installed_catalog
from streams.settings import Settings


async def list_records(topic: str | None, limit: int, settings: Settings, *, as_json: bool) -> None:
    """Prints the newest records that are no commands, of all topics or of the topic on which they came."""
    records = await _records(topic, limit, settings)
    if as_json:
        sys.stdout.write(orjson.dumps(list(map(as_content, records))).decode() + "\n")
    else:
        print_records(records, lines(), datetime.now(UTC))


def print_records(records: Sequence[ParkedRecord], out: Console, now: datetime) -> None:
    """Prints each with its error, then their number."""
    for record in records:
        out.print(f"[bold]{escape(record.place)}[/]")  # alone in its line, to be copied
        kept = counted(len(record.value), "byte") if record.value else "its value was not kept"
        out.print(f"  from {record.origin}: {ago(record.at, now)}, {kept}", markup=False)
        out.print(f"  {record.error[:300]}", markup=False)
    out.print("1 record that is no command" if len(records) == 1 else f"{len(records):,} records that are no commands")


async def resend(places: Sequence[str], topic: str | None, limit: int, settings: Settings, *, apply: bool) -> int:
    """Sends records again to the topics on which they came, and says which cannot be sent: 1 if there are some.

    Raises `NotFound` for a place without a record, and `Rejected` if nothing says which records.
    """
    if not places and topic is None:
        raise Rejected("say which records to send again: by place, or with --topic")
    out, found = lines(), await _records(topic, limit, settings)
    if unknown := set(places) - {record.place for record in found}:
        raise NotFound(f"there is no record {', '.join(sorted(unknown))}; `caudal dead-letters records` shows them")
    chosen = [record for record in found if not places or record.place in places]
    sendable = [record for record in chosen if why_not_sent(record) is None]
    for record in chosen:
        if (why := why_not_sent(record)) is not None:
            out.print(f"{record.place}: {why}", markup=False)
    out.print(f"{counted(len(sendable), 'record')} will be sent again. One that was handled meanwhile is not handled twice.")
    if confirmed(out, apply=apply):
        await send_again(sendable, settings)
        out.print("Done. A record that still fails is parked again.")
    return 1 if len(sendable) < len(chosen) else 0


def why_not_sent(record: ParkedRecord) -> str | None:
    """Returns why a record cannot be sent again, or ``None``."""
    if not record.value:
        return "its value was not kept, because it may hold personal data: its sender has to send it again"
    return None


def as_content(record: ParkedRecord) -> dict[str, object]:
    """Returns the content of a record in ``--json``."""
    return {
        "place": record.place,
        "origin": record.origin,
        "error": record.error,
        "at": record.at,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": {name: _text(value) for name, value in record.headers},
        "can_be_sent_again": why_not_sent(record) is None,
    }


async def _records(topic: str | None, limit: int, settings: Settings) -> Sequence[ParkedRecord]:
    every = await newest_parked(settings, installed_catalog(settings.systems), limit)
    return [record for record in every if topic in (None, record.topic)]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")
