"""The commands ``caudal subjects …``."""

from typing import Annotated

import typer

from deploy.commands.orders.order import Order, long_reading_command, operation_command
from deploy.console.options import flag

subjects = typer.Typer(no_args_is_help=True)


@subjects.callback()
def subjects_group() -> None:
    """Find what is held of data subjects, and erase them: what is encrypted for them can never be read again."""


@subjects.command()
@long_reading_command
def find(subject: Annotated[str, typer.Argument(help="The data subject, as its data names it.")]) -> Order:
    """Find the events and the rows with data that are encrypted for a data subject, and whether its key exists."""
    from deploy.operations.subjects.finding import FIND, Find

    return Order(FIND, Find(subject=subject))


@subjects.command()
@operation_command
def erase(
    subject: Annotated[str, typer.Argument(help="The data subject, as its data names it.")],
    in_advance: Annotated[
        bool, flag("--in-advance", help="Also a subject without stored data, so that none can be stored later.")
    ] = False,
) -> Order:
    """Destroy the key of a data subject for good. The events stay; what is encrypted in them becomes unreadable."""
    from deploy.operations.subjects.erasing import ERASE, Erase

    return Order(ERASE, Erase(subject=subject, in_advance=in_advance))
