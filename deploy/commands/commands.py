"""The commands ``caudal commands …``."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from deploy.commands.orders.order import Question, reading_command
from deploy.console.printing import lines

commands = typer.Typer(no_args_is_help=True)


@commands.callback()
def commands_group() -> None:
    """Show what became of a command."""


@commands.command("show")
@reading_command
def show(
    context: Annotated[str, typer.Argument(metavar="{SYSTEM.CONTEXT}", help="The context of its aggregate.")],
    command_id: Annotated[UUID, typer.Argument(metavar="{COMMAND_ID}", help="Its id, as `Command-Id` or metadata have it.")],
) -> Question:
    """Show what became of a command: its events, and which views and policies have them."""
    from deploy.operations.commands.receipt import SHOW, OneCommand, print_receipt

    def print_it(found: Any) -> None:
        print_receipt(found, lines(), datetime.now(UTC))

    return Question(SHOW, OneCommand(context=context, command_id=command_id), print_it)
