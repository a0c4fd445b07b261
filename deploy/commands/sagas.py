"""The commands ``caudal sagas …``."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from deploy.commands.orders.order import Order, Question, operation_command, reading_command
from deploy.console.options import flag
from deploy.console.printing import console, counted, lines

sagas = typer.Typer(no_args_is_help=True, help="List sagas and their steps, retry what failed, or cancel a saga.")
SagaId = Annotated[str, typer.Argument(metavar="SAGA_ID", help="The saga, as `caudal sagas list` names it.")]


@sagas.command("list")
@reading_command
def list_sagas(
    kind: Annotated[str | None, typer.Option(metavar="SYSTEM.NAME", help="Only sagas of this definition.")] = None,
    ended: Annotated[bool, flag("--ended", help="Only sagas that have ended.")] = False,
    everything: Annotated[bool, flag("--all", help="Sagas that have ended as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
) -> Question:
    """List running sagas; those that are stuck come first, with the reason."""
    from deploy.operations.sagas.listing import LIST, SagaFilter, Which, saga_table

    if everything and ended:
        raise typer.BadParameter("--all and --ended exclude each other")
    which: Which = "all" if everything else "ended" if ended else "running"

    def print_them(found: Any) -> None:
        if not found.rows:
            of = f" of {kind}" if kind else ""
            running = f"No saga{of} runs; `caudal sagas list --ended` lists those that have ended."
            typer.echo(running if which == "running" else "There are no such sagas.")
            return
        console().print(saga_table(found.rows, datetime.now(UTC)))
        if found.found > len(found.rows):
            typer.echo(f"{counted(found.found - len(found.rows), 'saga')} more; --limit shows them.")
        typer.echo("\n`caudal sagas show SAGA_ID` shows the steps of one.")

    return Question(LIST, SagaFilter(kind=kind, which=which, limit=limit), print_them)


@sagas.command()
@reading_command
def show(saga_id: SagaId) -> Question:
    """Show one saga: its status, its state, and each of its steps."""
    from deploy.operations.sagas.reading import OneSaga
    from deploy.operations.sagas.timeline import SHOW, print_saga, step_table

    def print_it(found: Any) -> None:
        print_saga(found, lines())
        console().print(step_table(found.timeline))

    return Question(SHOW, OneSaga(saga_id=saga_id), print_it)


@sagas.command()
@operation_command
def retry(saga_id: SagaId) -> Order:
    """Retry what a saga failed to react to, or failed to compensate."""
    from deploy.operations.sagas.instructing import RETRY
    from deploy.operations.sagas.reading import OneSaga

    return Order(RETRY, OneSaga(saga_id=saga_id))


@sagas.command()
@operation_command
def cancel(saga_id: SagaId) -> Order:
    """Cancel a saga that has not ended: its commands are compensated, the last one first. It needs a --reason."""
    from deploy.operations.sagas.instructing import CANCEL
    from deploy.operations.sagas.reading import OneSaga

    return Order(CANCEL, OneSaga(saga_id=saga_id))
