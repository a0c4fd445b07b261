"""The commands ``caudal dead-letters …``."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from deploy.console.options import DEFAULT_DATA_DIR, AsJson, DataDir, complaining, exit_with, read_settings

dead_letters = typer.Typer(no_args_is_help=True, help="Show what subscriptions could not deal with; mend it, or leave it out.")
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Dead letters by name; unset: all that are chosen.")
]
Name = Annotated[str, typer.Argument(help="The dead letter, as `caudal dead-letters list` names it.")]
OfSubscription = Annotated[str | None, typer.Option("--subscription", help="Only those of this projection or policy.")]
OfStream = Annotated[str | None, typer.Option("--stream", help="Only those of this stream.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; without, only say what would be done.")]


@dead_letters.command("list")
def list_(
    subscription: OfSubscription = None,
    stream: OfStream = None,
    everything: Annotated[bool, typer.Option("--all", help="Those too that were skipped or repaired.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the first of each stream before those that wait behind it."""
    from deploy.operations.dead_letters.desk import Chosen, list_dead_letter

    chosen = Chosen(subscription=subscription, stream=stream, decided=everything)
    complaining(lambda: uvloop.run(list_dead_letter(chosen, data_dir.resolve(), read_settings(), as_json=as_json)))


@dead_letters.command()
def show(name: Name, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show one: the record as it came, why it is here, and what became of it."""
    from deploy.operations.dead_letters.desk import show_dead_letter

    complaining(lambda: uvloop.run(show_dead_letter(name, data_dir.resolve(), read_settings())))


@dead_letters.command()
def redrive(
    names: Names = None,
    subscription: OfSubscription = None,
    stream: OfStream = None,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Try dead letters again, those of a stream in order; leaves with 1 where some are left."""
    from deploy.operations.dead_letters.desk import Chosen
    from deploy.operations.dead_letters.desk import redrive as redrive_them

    chosen = Chosen(names=names or (), subscription=subscription, stream=stream)
    exit_with(complaining(lambda: uvloop.run(redrive_them(chosen, data_dir.resolve(), read_settings(), apply=apply))))


@dead_letters.command()
def skip(
    names: Names = None,
    subscription: OfSubscription = None,
    stream: OfStream = None,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Leave dead letters out for good; what waits behind them is tried at once."""
    from deploy.operations.dead_letters.desk import Chosen
    from deploy.operations.dead_letters.desk import skip as skip_them

    chosen = Chosen(names=names or (), subscription=subscription, stream=stream)
    complaining(lambda: uvloop.run(skip_them(chosen, data_dir.resolve(), read_settings(), apply=apply)))


@dead_letters.command()
def edit(
    name: Name,
    data: Annotated[
        Path | None,
        typer.Option(help="File with the event's data as JSON; unset: standard input.", exists=True, dir_okay=False),
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put other data in the place of an event's, for its subscription alone: the log stays as it is."""
    from deploy.operations.dead_letters.desk import edit as edit_it

    text = sys.stdin.buffer.read() if data is None else data.read_bytes()
    complaining(lambda: uvloop.run(edit_it(name, text, data_dir.resolve(), read_settings())))
