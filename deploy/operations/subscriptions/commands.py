"""The commands ``caudal subscriptions …``."""

from typing import Annotated

import typer
import uvloop

from deploy.console.options import DEFAULT_DATA_DIR, DataDir, complaining, read_settings

subscriptions = typer.Typer(no_args_is_help=True, help="Let projections and policies rest, go on, or start elsewhere.")
Name = Annotated[str, typer.Argument(metavar="SYSTEM.NAME", help="The subscription, as `caudal status` names it.")]


@subscriptions.command()
def pause(name: Name, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Let a subscription rest wherever it runs, until it is resumed."""
    from deploy.operations.subscriptions.control import pause as pause_it

    complaining(lambda: uvloop.run(pause_it(name, data_dir.resolve(), read_settings())))
    typer.echo(f"{name} rests; `caudal subscriptions resume {name}` lets it go on.")


@subscriptions.command()
def resume(name: Name, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Let a subscription go on from where it stands."""
    from deploy.operations.subscriptions.control import resume as resume_it

    complaining(lambda: uvloop.run(resume_it(name, data_dir.resolve(), read_settings())))
    typer.echo(f"{name} goes on.")


@subscriptions.command()
def reset(
    name: Name,
    to: Annotated[str, typer.Option(help="`beginning`, `head`, a position, or a time such as 2026-01-31T12:00Z.")],
    context: Annotated[str | None, typer.Option(metavar="SYSTEM.CONTEXT", help="Only there; unset: everywhere.")] = None,
    keep_rows: Annotated[bool, typer.Option("--keep-rows", help="A view's rows may see events a second time.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, only say what would be done.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put a subscription elsewhere; its process goes on from there. A policy's commands are recognised when they come again."""
    from deploy.operations.subscriptions.control import Reset
    from deploy.operations.subscriptions.control import reset as reset_it

    wanted = Reset(to=to, context=context, keep_rows=keep_rows, apply=apply)
    complaining(lambda: uvloop.run(reset_it(name, wanted, data_dir.resolve(), read_settings())))
