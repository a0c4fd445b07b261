"""The commands ``caudal dead-letters …``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.console.async_command import async_command
from deploy.console.connection import settings_of
from deploy.console.options import DEFAULT_DATA_DIR, Apply, AsJson, DataDir, flag

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
@async_command
async def list_(
    subscription: OfSubscription = None,
    stream: OfStream = None,
    everything: Annotated[bool, flag("--all", help="Also those that were skipped, or applied after an edit.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List dead letters; the first of each stream comes before those that wait behind it."""
    from deploy.operations.dead_letters.listing import list_dead_letters
    from deploy.operations.dead_letters.selection import Filter

    chosen = Filter(subscription=subscription, stream=stream, resolved=everything)
    await list_dead_letters(chosen, settings_of(data_dir), as_json=as_json)


@dead_letters.command()
@async_command
async def show(name: Name, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show one as JSON: the record, the error and the state."""
    from deploy.operations.dead_letters.listing import show_dead_letter

    await show_dead_letter(name, settings_of(data_dir))


@dead_letters.command()
@async_command
async def redrive(
    names: Names = None,
    subscription: OfSubscription = None,
    stream: OfStream = None,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> int:
    """Process dead letters again, those of a stream in order. Exit code 1: some still fail."""
    from deploy.operations.dead_letters.resolving import redrive as redrive_them
    from deploy.operations.dead_letters.selection import Filter

    chosen = Filter(names=names or (), subscription=subscription, stream=stream)
    return await redrive_them(chosen, settings_of(data_dir), apply=apply)


@dead_letters.command()
@async_command
async def skip(
    names: Names = None,
    subscription: OfSubscription = None,
    stream: OfStream = None,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Skip dead letters for good. The log keeps the events; those that wait behind them are processed at once."""
    from deploy.operations.dead_letters.resolving import skip as skip_them
    from deploy.operations.dead_letters.selection import Filter

    chosen = Filter(names=names or (), subscription=subscription, stream=stream)
    await skip_them(chosen, settings_of(data_dir), apply=apply)


@dead_letters.command()
@async_command
async def edit(
    name: Name,
    data: Annotated[
        Path | None,
        typer.Option(help="File with the event's data as JSON; default: standard input.", exists=True, dir_okay=False),
    ] = None,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Replace an event's data for its subscription alone. The log keeps the original."""
    from deploy.operations.dead_letters.resolving import edit as edit_it

    text = sys.stdin.buffer.read() if data is None else data.read_bytes()
    await edit_it(name, text, settings_of(data_dir), apply=apply)


@dead_letters.command()
@async_command
async def records(
    topic: OfTopic = None,
    limit: Newest = 100,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List the newest records on topics of commands and on incoming topics that are no commands."""
    from deploy.operations.dead_letters.records import list_records

    await list_records(topic, limit, settings_of(data_dir), as_json=as_json)
