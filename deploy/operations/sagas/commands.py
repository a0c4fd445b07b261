"""The commands ``caudal sagas …``."""

from typing import Annotated

import typer

from deploy.console.async_command import async_command
from deploy.console.connection import settings_of
from deploy.console.options import DEFAULT_DATA_DIR, Apply, AsJson, DataDir, flag

sagas = typer.Typer(no_args_is_help=True, help="List sagas and their steps, retry what failed, or cancel a saga.")
SagaId = Annotated[str, typer.Argument(metavar="SAGA_ID", help="The saga, as `caudal sagas list` names it.")]


@sagas.command("list")
@async_command
async def list_sagas(
    kind: Annotated[str | None, typer.Option(metavar="SYSTEM.NAME", help="Only sagas of this definition.")] = None,
    ended: Annotated[bool, flag("--ended", help="Only sagas that have ended.")] = False,
    everything: Annotated[bool, flag("--all", help="Sagas that have ended as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List running sagas; those that are stuck come first, with the reason."""
    from deploy.operations.sagas.listing import SagaFilter, Which
    from deploy.operations.sagas.listing import list_sagas as list_them

    if everything and ended:
        raise typer.BadParameter("--all and --ended exclude each other")
    which: Which = "all" if everything else "ended" if ended else "running"
    await list_them(SagaFilter(kind, which, limit), settings_of(data_dir), as_json=as_json)


@sagas.command()
@async_command
async def show(saga_id: SagaId, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show one saga: its status, its state, and each of its steps."""
    from deploy.operations.sagas.timeline import show_saga

    await show_saga(saga_id, settings_of(data_dir), as_json=as_json)


@sagas.command()
@async_command
async def retry(saga_id: SagaId, apply: Apply = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Retry what a saga failed to react to, or failed to compensate."""
    from deploy.operations.sagas.instructing import retry as retry_it

    await retry_it(saga_id, settings_of(data_dir), apply=apply)


@sagas.command()
@async_command
async def cancel(
    saga_id: SagaId,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    apply: Apply = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Cancel a saga that has not ended: its commands are compensated, the last one first."""
    from deploy.operations.sagas.instructing import cancel as cancel_it

    await cancel_it(saga_id, reason, settings_of(data_dir), apply=apply)
