"""The commands ``caudal subscriptions …``."""

from typing import Annotated

import typer

from deploy.console.async_command import async_command
from deploy.console.connection import settings_of
from deploy.console.options import DEFAULT_DATA_DIR, Apply, AsJson, DataDir, flag

subscriptions = typer.Typer(
    no_args_is_help=True, help="List projections and policies, pause and resume them, or move their checkpoints."
)
Name = Annotated[str, typer.Argument(metavar="SYSTEM.NAME", help="The subscription, as `caudal subscriptions list` names it.")]


@subscriptions.command("list")
@async_command
async def list_(as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List projections and policies: what they follow, their dead letters, and whether they are paused or blocked."""
    from deploy.operations.subscriptions.listing import list_subscriptions

    await list_subscriptions(settings_of(data_dir), as_json=as_json)


@subscriptions.command()
@async_command
async def pause(name: Name, apply: Apply = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Pause a subscription, in every process that runs it, until it is resumed."""
    from deploy.operations.subscriptions.control import pause as pause_it

    await pause_it(name, settings_of(data_dir), apply=apply)


@subscriptions.command()
@async_command
async def resume(name: Name, apply: Apply = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Resume a paused subscription at its checkpoint."""
    from deploy.operations.subscriptions.control import resume as resume_it

    await resume_it(name, settings_of(data_dir), apply=apply)


@subscriptions.command()
@async_command
async def reset(
    name: Name,
    to: Annotated[str, typer.Option(help="`beginning`, `head`, a position, a date, or a time such as 2026-01-31T12:00Z.")],
    context: Annotated[str | None, typer.Option(metavar="SYSTEM.CONTEXT", help="Only in this context; default: all.")] = None,
    keep_rows: Annotated[bool, flag("--keep-rows", help="Keep the view's rows, which then see events a second time.")] = False,
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Move the checkpoint of a subscription. Commands that a policy sends again are recognised as repeats."""
    from deploy.operations.subscriptions.control import Reset
    from deploy.operations.subscriptions.control import reset as reset_it

    await reset_it(name, Reset(to=to, context=context, keep_rows=keep_rows, apply=apply), settings_of(data_dir))
