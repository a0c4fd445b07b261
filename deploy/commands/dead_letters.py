"""The commands ``caudal dead-letters …``."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy.commands.orders.order import Order, Question, operation_command, reading_command
from deploy.console.options import flag
from deploy.console.printing import lines

dead_letters = typer.Typer(
    no_args_is_help=True,
    help="List events that subscriptions could not process; edit, redrive or skip them. List records that are no commands.",
)
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Dead letters by name; default: all that match.")]
Name = Annotated[str, typer.Argument(help="The dead letter, as `caudal dead-letters list` names it.")]
OfSubscription = Annotated[
    str | None, typer.Option("--subscription", metavar="SYSTEM.NAME", help="Only those of this projection or policy.")
]
OfTopic = Annotated[str | None, typer.Option("--topic", metavar="TOPIC", help="Only those that came on this topic.")]
Newest = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many of each partition, the newest.")]
OfStream = Annotated[str | None, typer.Option("--stream", help="Only those of this stream.")]


@dead_letters.command("list")
@reading_command
def list_(
    subscription: OfSubscription = None,
    stream: OfStream = None,
    everything: Annotated[bool, flag("--all", help="Also those that were skipped, or applied after an edit.")] = False,
) -> Question:
    """List dead letters; the first of each stream comes before those that wait behind it."""
    from deploy.operations.dead_letters.listing import LIST, ListFilter, print_dead_letters

    chosen = ListFilter(subscription=subscription, stream=stream, resolved=everything)
    return Question(LIST, chosen, lambda found: print_dead_letters(found.rows, lines(), datetime.now(UTC)))


@dead_letters.command()
@reading_command
def show(name: Name) -> Question:
    """Show one as JSON: the record, the error and the state."""
    from deploy.operations.dead_letters.listing import SHOW, OneName

    def print_it(found: Any) -> None:
        Console(highlight=False).print_json(SHOW.answer.dump_json(found).decode())

    return Question(SHOW, OneName(name=name), print_it)


@dead_letters.command()
@operation_command
def redrive(names: Names = None, subscription: OfSubscription = None, stream: OfStream = None) -> Order:
    """Process dead letters again, those of a stream in order. Exit code 1: some still fail."""
    from deploy.operations.dead_letters.resolving import REDRIVE
    from deploy.operations.dead_letters.selection import Filter

    return Order(REDRIVE, Filter(names=tuple(names or ()), subscription=subscription, stream=stream))


@dead_letters.command()
@operation_command
def skip(names: Names = None, subscription: OfSubscription = None, stream: OfStream = None) -> Order:
    """Skip dead letters for good. The log keeps the events; those that wait behind them are processed at once."""
    from deploy.operations.dead_letters.resolving import SKIP
    from deploy.operations.dead_letters.selection import Filter

    return Order(SKIP, Filter(names=tuple(names or ()), subscription=subscription, stream=stream))


@dead_letters.command()
@operation_command
def edit(
    name: Name,
    data: Annotated[
        Path | None,
        typer.Option(help="File with the event's data as JSON; default: standard input.", exists=True, dir_okay=False),
    ] = None,
) -> Order:
    """Replace an event's data for its subscription alone. The log keeps the original."""
    from deploy.operations.dead_letters.resolving import EDIT, Edit

    text = sys.stdin.buffer.read() if data is None else data.read_bytes()
    return Order(EDIT, Edit(name=name, data=text.decode()))


@dead_letters.command()
@reading_command
def records(topic: OfTopic = None, limit: Newest = 100) -> Question:
    """List the newest records on topics of commands and on incoming topics that are no commands."""
    from deploy.operations.dead_letters.records import RECORDS, ListedRecord, RecordFilter, print_records

    def print_them(found: Sequence[ListedRecord]) -> None:
        print_records(found, lines(), datetime.now(UTC))

    return Question(RECORDS, RecordFilter(topic=topic, limit=limit), print_them)
