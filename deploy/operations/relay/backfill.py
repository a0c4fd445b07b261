"""``caudal relay backfill``: publishes a part of a log again."""

from pydantic import Field

from deploy.console.places import parse_place
from deploy.console.printing import counted
from deploy.operations.operation import Operation
from deploy.operations.run import Parameters, Result, Run
from query_api.audit.history import Selection, bounds
from schemas.errors import Rejected
from schemas.system import ContextName
from streams.log.search import Conditions, SearchableLog
from streams.relay.backfill import Backfill


class PartOfLog(Parameters):
    """A part of a log."""

    context: str = Field(description="`system.context`.")
    begin: str | None = Field(default=None, description="First position, a date, or a time; the first event without it.")
    end: str | None = Field(
        default=None, description="Last position (included), or a date or time (excluded); the last event without it."
    )


async def backfill(run: Run, wanted: PartOfLog) -> Result:
    """Publishes events again, marked as repeated; subscribers skip those that they have processed.

    Raises `Rejected` if there are no events, and `Unavailable`.
    """
    context = ContextName.parse(wanted.context)
    run.installation.catalog.context(context)
    options = ((wanted.begin, "--from"), (wanted.end, "--to"))
    places = (None if text is None else parse_place(text, name) for text, name in options)
    log = SearchableLog(run.installation.within("caudal_reader").log_store(context), context)
    after, up_to = await bounds(log, Selection(Conditions(), *places))
    if after >= up_to:
        raise Rejected(f"{context} has no events there: its log ends at {(await log.head()).position}")
    run.say(f"{counted(up_to - after, 'event')} of {context} will be published again, positions {after + 1} to {up_to}.")
    if not await run.begin():
        return Result(after={"from": after + 1, "to": up_to})

    show = run.progress_of(str(context), "events")
    work = Backfill(run.settings, run.installation.catalog, log)
    published = await work.between(after, up_to, lambda position: show(position - after, up_to - after))
    run.say(f"Done: {counted(published, 'event')}, marked as backfilled.")
    return Result(after={"from": after + 1, "to": up_to, "published": published})


BACKFILL = Operation("relay/backfill", PartOfLog, backfill)
