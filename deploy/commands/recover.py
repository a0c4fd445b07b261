"""The command ``caudal recover``."""

from typing import Annotated

import typer

from deploy.commands.orders.order import Order, operation_command


@operation_command
def recover(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The context whose log went back.")],
) -> Order:
    """Go on with a log that went back behind what was published, after a restore or a failover that lost commits."""
    from deploy.operations.recovery.recovering import RECOVER, LostContext

    return Order(RECOVER, LostContext(context=context))
