"""The commands ``caudal sagas …``."""

from typing import Annotated

import typer
import uvloop

from deploy.console.options import DEFAULT_DATA_DIR, AsJson, DataDir, complaining, read_settings

processes = typer.Typer(no_args_is_help=True, help="See how processes stand, try again what failed, or end one.")
SagaId = Annotated[str, typer.Argument(metavar="SAGA_ID", help="The process, as `caudal sagas list` names it.")]


@processes.command("list")
def list_processes(
    process: Annotated[str | None, typer.Option(metavar="SYSTEM.NAME", help="Only processes of this kind.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List processes, those that are stuck first, and why."""
    from deploy.operations.sagas.desk import Wanted, list_them

    wanted = Wanted(process, ended, limit)
    complaining(lambda: uvloop.run(list_them(wanted, data_dir.resolve(), read_settings(), as_json=as_json)))


@processes.command()
def show(saga_id: SagaId, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show one process: how it stands, what it knows, and everything that it was told."""
    from deploy.operations.sagas.desk import show_one

    complaining(lambda: uvloop.run(show_one(saga_id, data_dir.resolve(), read_settings(), as_json=as_json)))


@processes.command()
def retry(saga_id: SagaId, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Try again what a process could not react to, or could not take back."""
    from deploy.operations.sagas.desk import tell
    from schemas.engine.sagas import RetrySaga

    complaining(lambda: uvloop.run(tell(RetrySaga(saga_id=saga_id), data_dir.resolve(), read_settings())))
    typer.echo(f"{saga_id} tries again; `caudal sagas show {saga_id}` tells what comes of it.")


@processes.command()
def cancel(
    saga_id: SagaId,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """End a process that has not ended: what it did is taken back, the last first."""
    from deploy.operations.sagas.desk import tell
    from schemas.engine.sagas import CancelSaga

    command = CancelSaga(saga_id=saga_id, reason=reason)
    complaining(lambda: uvloop.run(tell(command, data_dir.resolve(), read_settings())))
    typer.echo(f"{saga_id} is being taken back; `caudal sagas show {saga_id}` tells how far.")
