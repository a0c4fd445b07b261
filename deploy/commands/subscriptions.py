"""The commands ``caudal subscriptions …``."""

from typing import Annotated, Any

import typer

from deploy.commands.orders.order import Order, Question, operation_command, reading_command
from deploy.console.options import flag
from deploy.console.printing import console

subscriptions = typer.Typer(
    no_args_is_help=True, help="List projections and policies, pause and resume them, or move their checkpoints."
)
Name = Annotated[str, typer.Argument(metavar="SYSTEM.NAME", help="The subscription, as `caudal subscriptions list` names it.")]


@subscriptions.command("list")
@reading_command
def list_() -> Question:
    """List projections and policies: what they follow, their dead letters, and whether they are paused or blocked."""
    from deploy.operations.subscriptions.listing import LIST, EverySubscription, subscription_table

    def print_them(found: Any) -> None:
        console().print(subscription_table(found.rows))
        typer.echo("\n`caudal status --all` shows how far behind each one is.")

    return Question(LIST, EverySubscription(), print_them)


@subscriptions.command()
@operation_command
def pause(name: Name) -> Order:
    """Pause a subscription, in every process that runs it, until it is resumed."""
    from deploy.operations.subscriptions.control import PAUSE, Pause

    return Order(PAUSE, Pause(subscription=name))


@subscriptions.command()
@operation_command
def resume(name: Name) -> Order:
    """Resume a paused subscription at its checkpoint."""
    from deploy.operations.subscriptions.control import RESUME, Pause

    return Order(RESUME, Pause(subscription=name))


@subscriptions.command()
@operation_command
def reset(
    name: Name,
    to: Annotated[str, typer.Option(help="`beginning`, `head`, a position, a date, or a time such as 2026-01-31T12:00Z.")],
    context: Annotated[str | None, typer.Option(metavar="SYSTEM.CONTEXT", help="Only in this context; default: all.")] = None,
    keep_rows: Annotated[bool, flag("--keep-rows", help="Keep the view's rows, which then see events a second time.")] = False,
) -> Order:
    """Move the checkpoint of a subscription. Commands that a policy sends again are recognised as repeats."""
    from deploy.operations.subscriptions.control import RESET, Reset

    return Order(RESET, Reset(subscription=name, to=to, context=context, keep_rows=keep_rows))
