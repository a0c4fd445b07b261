"""The commands ``caudal operations …``."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from deploy.commands.orders.order import Question, reading_command
from deploy.console.printing import lines

operations = typer.Typer(no_args_is_help=True)


@operations.callback()
def operations_group() -> None:
    """Show what operators did."""


@operations.command("list")
@reading_command
def list_(
    operation: Annotated[str | None, typer.Option(help="Only runs of this operation, such as subscriptions/pause.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this operator did.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest.")] = 50,
) -> Question:
    """List what operators did, the newest first: who, when, why, and how it ended."""
    from deploy.operations.history import LIST, HistoryFilter, print_operations

    def print_them(found: Any) -> None:
        print_operations(found, lines(), datetime.now(UTC))

    return Question(LIST, HistoryFilter(operation=operation, actor=actor, limit=limit), print_them)
