"""The commands ``caudal relay …``."""

from typing import Annotated

import typer
import uvloop

from deploy.console.options import DEFAULT_DATA_DIR, DataDir, complaining, read_settings
from schemas.catalog import ContextName

relay = typer.Typer(no_args_is_help=True, help="Fill topics from the logs.")


@relay.callback()
def relay_group() -> None:
    """Fill topics from the logs."""


@relay.command()
def backfill(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The context whose topic of events to fill.")],
    begin: Annotated[
        str | None, typer.Option("--from", help="First position, or a time such as 2026-01-31T12:00Z; unset: the first event.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Last position, or a time before which; unset: the last event.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, only say what would be done.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Publish events once more, marked as such; subscribers skip what they have seen."""
    from deploy.operations.relay.backfill import backfill as backfill_it

    name = complaining(lambda: ContextName.parse(context))
    complaining(lambda: uvloop.run(backfill_it(name, begin, end, data_dir.resolve(), read_settings(), apply=apply)))
