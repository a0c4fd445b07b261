"""Commands of an operator to a saga: retry and cancel."""

import getpass

from command_api.composition import issue
from deploy.console.printing import confirmed, counted, lines
from deploy.operations.sagas.reading import saga_row
from deploy.operations.sagas.stuck import SagaRow
from schemas.engine.sagas import CancelSaga, RetrySaga
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.settings import Settings


async def retry(short_id: str, settings: Settings, *, apply: bool) -> None:
    """Retries what the saga failed to do, or prints what that is. Raises `Rejected` if nothing failed."""
    out = lines()
    saga = await _saga(short_id, settings)
    failed = [found["name"] for found in (*saga["deferred"].values(), *saga["failed_compensations"].values())]
    out.print(f"{saga['saga']} {saga['key']}: to be retried: {', '.join(failed) or 'nothing'}.", markup=False)
    if confirmed(out, apply=apply):
        await _send(RetrySaga(saga_id=saga["saga_id"]), settings)
        out.print(f"It retries; `caudal sagas show {short_id}` shows the result.")


async def cancel(short_id: str, reason: str, settings: Settings, *, apply: bool) -> None:
    """Cancels a saga, or prints what that would end. Raises `Rejected` if it has ended."""
    out = lines()
    saga = await _saga(short_id, settings)
    in_flight = counted(len(saga["in_flight"]), "command")
    out.print(f"{saga['saga']} {saga['key']}: {saga['status']}, {in_flight} in flight, will be cancelled.", markup=False)
    out.print("Its accepted commands will be compensated, the last one first.")
    command = CancelSaga(saga_id=saga["saga_id"], reason=reason)
    if confirmed(out, apply=apply):
        await _send(command, settings)
        out.print(f"It is being compensated; `caudal sagas show {short_id}` shows how far.")


async def _saga(short_id: str, settings: Settings) -> SagaRow:
    databases = Databases("caudal_reader", 1)
    try:
        return await saga_row(settings, databases, short_id)
    finally:
        await databases.close()


async def _send(command: RetrySaga | CancelSaga, settings: Settings) -> None:
    """Has a command handled in this process. Raises `Rejected` and `Unavailable`."""
    await issue(settings, installed_catalog(settings.systems), command, getpass.getuser())
