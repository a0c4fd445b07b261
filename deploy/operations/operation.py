"""Operations: everything that an operator can do to an installation, on the command line, over HTTP and on the page."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from uuid import UUID

from deploy.operations.installation import OpenInstallation
from deploy.operations.journal import Journal
from deploy.operations.run import Facts, Output, Parameters, Result, Run
from schemas.access import Access
from schemas.engine.operations import Outcome
from schemas.errors import CaudalError, Unavailable
from streams.telemetry.retrying import reason

P = TypeVar("P", bound=Parameters)
OPERATORS = Access.to("operator")
_RECORDING_SECONDS = 5.0


def _recorded_whole(parameters: Parameters) -> Facts:
    return parameters.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Operation(Generic[P]):
    """One thing that an operator can do. A run says what it will do and calls `Run.begin` before it changes anything."""

    name: str
    """``subject/verb``, as in ``caudal subject verb``."""
    parameters: type[P]
    work: Callable[[Run, P], Awaitable[Result]]
    """Raises `NotFound`, `Rejected` or `Invalid` for what cannot be done, and `Unavailable`."""
    access: Access = OPERATORS
    recorded: Callable[[P], Facts] = _recorded_whole
    """Returns the parameters as they are recorded for good."""
    is_reading: bool = False
    """Whether it reads what it is about, also if it is only tried: nobody has it tried to see a plan."""

    @property
    def summary(self) -> str:
        """Its effect in a sentence."""
        return (self.work.__doc__ or self.name).partition("\n")[0]

    async def run(
        self, id: UUID, parameters: P, installation: OpenInstallation, out: Output, journal: Journal | None
    ) -> Result:
        """Runs it, or only tries it without a ``journal``; the end is recorded, and so is an error before it is raised."""
        run = Run(id, self.name, self.recorded(parameters), installation, out, journal)
        try:
            result = await self.work(run, parameters)
        except BaseException as error:
            await _record_end(run, journal, "failed", _why(error), {})
            raise
        await _record_end(run, journal, "incomplete" if result.remaining else "done", result.remaining, result.after)
        return replace(result, is_planned=run.is_planned)


async def _record_end(run: Run, journal: Journal | None, outcome: Outcome, problem: str | None, after: Facts) -> None:
    """Records the end of a run that has begun; says so if that cannot be done: what the run did stays done."""
    if journal is None or not run.is_begun:
        return
    try:
        async with asyncio.timeout(_RECORDING_SECONDS):
            await journal.end(run.id, outcome, problem, after)
    except (Unavailable, TimeoutError) as error:
        run.say(f"The end of this operation could not be recorded: {reason(error)}", "warning")


def _why(error: BaseException) -> str:
    if isinstance(error, CaudalError):
        return error.detail
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        return "interrupted"
    return reason(error)
