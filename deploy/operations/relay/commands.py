"""The commands ``caudal relay …``."""

from typing import Annotated

import typer

from deploy.console.async_command import async_command
from deploy.console.connection import settings_of
from deploy.console.options import DEFAULT_DATA_DIR, Apply, DataDir
from schemas.system import ContextName

relay = typer.Typer(no_args_is_help=True)


@relay.callback()
def relay_group() -> None:
    """Publish events of the logs to their topics again."""


@relay.command()
@async_command
async def backfill(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The context whose topic to fill.")],
    begin: Annotated[
        str | None, typer.Option("--from", help="First position, a date, or a time; default: the first event.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Last position (included), or a date or time (excluded); default: the last event."),
    ] = None,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Publish events again, marked as repeated; subscribers skip those that they have processed."""
    from deploy.operations.relay.backfill import backfill as backfill_it

    await backfill_it(ContextName.parse(context), begin, end, settings_of(data_dir), apply=apply)
