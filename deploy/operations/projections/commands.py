"""The commands ``caudal projections …``."""

from typing import Annotated

import typer

from deploy.console.async_command import async_command
from deploy.console.connection import settings_of
from deploy.console.options import DEFAULT_DATA_DIR, Apply, DataDir, flag

projections = typer.Typer(no_args_is_help=True, help="Rebuild views beside the live ones; switch versions, and back.")
Name = Annotated[str, typer.Argument(metavar="SYSTEM.VIEW", help="The view.")]


@projections.command("list")
@async_command
async def list_(
    everything: Annotated[bool, flag("--all", help="Also views that have no other version than the live one.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List the versions of each view: the live one, one that is being built, and the previous one."""
    from deploy.operations.projections.versions import list_versions

    await list_versions(settings_of(data_dir), everything=everything)


@projections.command()
@async_command
async def rebuild(
    name: Name,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that fill it; default: one for each core.")] = None,
    restart: Annotated[bool, flag("--restart", help="Begin again, even if a version is half built.")] = False,
    no_switch: Annotated[bool, flag("--no-switch", help="Build the version and keep the live one live.")] = False,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Build a new version from the logs beside the live one, compare the two at the same position, and switch."""
    from deploy.operations.projections.rebuilding import Options
    from deploy.operations.projections.rebuilding import rebuild as rebuild_it

    options = Options(workers=workers, again=restart, switch=not no_switch)
    await rebuild_it(name, settings_of(data_dir), options, apply=apply)


@projections.command()
@async_command
async def rollback(
    name: Name,
    other_shape: Annotated[
        bool, flag("--other-shape", help="Also to a version whose columns the installed code does not declare.")
    ] = False,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make the previous version live again; its projectors catch up from the log."""
    from deploy.operations.projections.versions import roll_back

    await roll_back(name, settings_of(data_dir), other_shape=other_shape, apply=apply)


@projections.command()
@async_command
async def discard(name: Name, apply: Apply = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Drop every version but the live one."""
    from deploy.operations.projections.versions import discard as discard_it

    await discard_it(name, settings_of(data_dir), apply=apply)
