"""Commands of an operator to a saga: retry and cancel."""

from deploy.console.printing import counted
from deploy.operations.operation import Operation
from deploy.operations.run import Facts, Result, Run
from deploy.operations.sagas.reading import OneSaga, saga_row
from deploy.operations.sagas.stuck import SagaRow
from schemas.engine.sagas import CancelSaga, RetrySaga
from schemas.errors import Rejected


async def retry(run: Run, wanted: OneSaga) -> Result:
    """Retries what a saga failed to react to, or failed to compensate. Raises `Rejected` if nothing failed."""
    saga = await saga_row(run.installation, wanted.saga_id)
    failed = [found["name"] for found in (*saga["deferred"].values(), *saga["failed_compensations"].values())]
    run.say(f"{saga['saga']} {saga['key']}: to be retried: {', '.join(failed) or 'nothing'}.")
    if await run.begin({**_recorded(saga), "failed": failed}):
        await run.issue(RetrySaga(saga_id=saga["saga_id"]))
        run.say(f"It retries; `caudal sagas show {wanted.saga_id}` shows the result.")
    return Result(after={"saga_id": saga["saga_id"]})


async def cancel(run: Run, wanted: OneSaga) -> Result:
    """Cancels a saga that has not ended, for a reason: its commands are compensated, the last one first.

    Raises `Rejected` if it has ended, and without a reason, which the saga keeps.
    """
    saga = await saga_row(run.installation, wanted.saga_id)
    in_flight = counted(len(saga["in_flight"]), "command")
    run.say(f"{saga['saga']} {saga['key']}: {saga['status']}, {in_flight} in flight, will be cancelled.")
    run.say("Its accepted commands will be compensated, the last one first.")
    if run.is_applied and not run.reason:
        raise Rejected("say why the saga is cancelled (--reason): the saga keeps it")
    if await run.begin(_recorded(saga)):
        await run.issue(CancelSaga(saga_id=saga["saga_id"], reason=run.reason))
        run.say(f"It is being compensated; `caudal sagas show {wanted.saga_id}` shows how far.")
    return Result(after={"saga_id": saga["saga_id"]})


def _recorded(saga: SagaRow) -> Facts:
    return {"saga_id": saga["saga_id"], "saga": saga["saga"], "key": saga["key"], "status": saga["status"]}


RETRY = Operation("sagas/retry", OneSaga, retry)
CANCEL = Operation("sagas/cancel", OneSaga, cancel)
