"""The commands ``caudal projections …``."""

from typing import Annotated

import typer
import uvloop
from rich.console import Console

from deploy.console.options import DEFAULT_DATA_DIR, DataDir, complaining, read_settings

projections = typer.Typer(no_args_is_help=True, help="Rebuild views beside the live ones; switch to them, and back.")
Name = Annotated[str, typer.Argument(metavar="SYSTEM.VIEW", help="The view.")]


@projections.command("list")
def list_(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List each view's versions: the one being built, and the one that was live before."""
    from deploy.operations.projections.rebuilding import list_versions

    complaining(lambda: uvloop.run(list_versions(data_dir.resolve(), read_settings())))


@projections.command()
def rebuild(
    name: Name,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that fill it; unset: one for each core.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, though a version is half built.")] = False,
    no_switch: Annotated[bool, typer.Option("--no-switch", help="Build it, and leave the live one live.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Build a new version from the logs beside the live one, compare the two at the same position, and switch."""
    from deploy.operations.projections.rebuilding import rebuild as rebuild_it

    work = rebuild_it(
        name, data_dir.resolve(), read_settings(), _console(), workers=workers, again=restart, switch=not no_switch
    )
    complaining(lambda: uvloop.run(work))


@projections.command()
def rollback(
    name: Name,
    other_shape: Annotated[
        bool, typer.Option("--other-shape", help="Also to a version whose shape the installed code does not declare.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put the version back that was live before; its projectors catch up."""
    from deploy.operations.projections.rebuilding import roll_back

    work = roll_back(name, data_dir.resolve(), read_settings(), _console(), other_shape=other_shape)
    complaining(lambda: uvloop.run(work))


@projections.command()
def discard(name: Name, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Drop what there is beside the live view."""
    from deploy.operations.projections.rebuilding import discard as discard_it

    complaining(lambda: uvloop.run(discard_it(name, data_dir.resolve(), read_settings(), _console())))


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
