"""The commands ``caudal projections …``."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from deploy.commands.orders.order import Order, Question, operation_command, reading_command
from deploy.console.options import flag
from deploy.console.printing import console, counted, lines

projections = typer.Typer(no_args_is_help=True, help="Rebuild views beside the live ones; switch versions, and back.")
Name = Annotated[str, typer.Argument(metavar="SYSTEM.VIEW", help="The view.")]


@projections.command("list")
@reading_command
def list_(
    everything: Annotated[bool, flag("--all", help="Also views that have no other version than the live one.")] = False,
) -> Question:
    """List the versions of each view: the live one, one that is being built, and the previous one."""
    from deploy.operations.projections.versions import LIST, EveryView, version_table

    def print_them(found: Any) -> None:
        shown = [view for view in found.rows if everything or view.has_others]
        if shown:
            console().print(version_table(shown, datetime.now(UTC)))
        if hidden := len(found.rows) - len(shown):
            lines().print(f"{counted(hidden, 'view')} with the live version alone; --all shows them.")

    return Question(LIST, EveryView(), print_them)


@projections.command()
@operation_command
def rebuild(
    name: Name,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that fill it; default: one for each core.")] = None,
    restart: Annotated[bool, flag("--restart", help="Begin again, even if a version is half built.")] = False,
    no_switch: Annotated[bool, flag("--no-switch", help="Build the version and keep the live one live.")] = False,
) -> Order:
    """Build a new version from the logs beside the live one, compare the two at the same position, and switch."""
    from deploy.operations.projections.rebuilding import REBUILD, RebuildView

    return Order(REBUILD, RebuildView(view=name, workers=workers, restart=restart, switch=not no_switch))


@projections.command()
@operation_command
def rollback(
    name: Name,
    other_shape: Annotated[
        bool, flag("--other-shape", help="Also to a version whose columns the installed code does not declare.")
    ] = False,
) -> Order:
    """Make the previous version live again; its projectors catch up from the log."""
    from deploy.operations.projections.versions import ROLLBACK, RollBack

    return Order(ROLLBACK, RollBack(view=name, other_shape=other_shape))


@projections.command()
@operation_command
def discard(name: Name) -> Order:
    """Drop every version but the live one."""
    from deploy.operations.projections.versions import DISCARD, OneView

    return Order(DISCARD, OneView(view=name))
