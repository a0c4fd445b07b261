"""The commands ``caudal relay …``."""

from typing import Annotated

import typer

from deploy.commands.orders.order import Order, operation_command

relay = typer.Typer(no_args_is_help=True)


@relay.callback()
def relay_group() -> None:
    """Publish events of the logs to their topics again."""


@relay.command()
@operation_command
def backfill(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The context whose topic to fill.")],
    begin: Annotated[
        str | None, typer.Option("--from", help="First position, a date, or a time; default: the first event.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Last position (included), or a date or time (excluded); default: the last event."),
    ] = None,
) -> Order:
    """Publish events again, marked as repeated; subscribers skip those that they have processed."""
    from deploy.operations.relay.backfill import BACKFILL, PartOfLog

    return Order(BACKFILL, PartOfLog(context=context, begin=begin, end=end))
