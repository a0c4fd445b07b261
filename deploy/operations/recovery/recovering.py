"""Recovery: accepts what a log lost when it went back, so that it is published again."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from deploy.console.printing import counted
from deploy.operations.installed_subscriptions import InstalledSubscription
from deploy.operations.operation import Operation
from deploy.operations.projections.rebuilding import RebuildView, filled
from deploy.operations.projections.versions import view_named
from deploy.operations.recovery.loss import Loss, loss_of
from deploy.operations.run import Parameters, Result, Run
from schemas.system import ContextName
from streams.broker.clients import MAX_SILENCE_SECONDS
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.settings import Settings
from streams.telemetry.retrying import MAX_PAUSE_SECONDS

_SHOWN_EVENTS = 20


class LostContext(Parameters):
    """The context whose log went back."""

    context: str = Field(description="`system.context`.")


async def recover(run: Run, wanted: LostContext) -> Result:
    """Goes on with a log that went back behind what was published, after a restore or a failover that lost commits.

    The loss is accepted: the relay publishes the log again from the last position that log and topic share, on a new timeline.
    Subscriptions that have seen lost events go back to that position; their views are rebuilt. Policies whose commands have
    lost their effects go back in the logs that still have the causes. Raises `Unavailable`.
    """
    context = ContextName.parse(wanted.context)
    run.installation.catalog.context(context)
    installation = run.installation.within("caudal_owner")
    loss = await loss_of(installation, context, run.installation.subscriptions)
    if loss is None:
        run.say(f"The log of {context} holds everything that was published: there is nothing to recover.")
        return Result()
    for sentence in described(loss):
        run.say(sentence)
    before = {"shared": loss.found.shared, "lost_up_to": loss.found.lost_up_to, "lost": len(loss.lost)}
    views = [one.name for one in loss.seen_by if one.projection is not None]
    if not await run.begin(before):
        return Result(after={"rebuilt": views})
    for view in views:  # first: `caudal status` names what a recovery that is interrupted leaves to be rebuilt
        await view_named(run.installation, view).view.begin(again=True)
    for one in loss.seen_by:
        await _go_back(one, context, loss.found.shared)
    for unsettled in loss.unsettled:
        await _go_back(unsettled.policy, unsettled.context, unsettled.position)
    await _accept(installation, loss)
    run.say(f"The loss is accepted. A relay publishes the log of {context} again within seconds.")
    for view in views:
        await _rebuild(run, view)
    run.say(f"Done. Processes notice within {_notice_seconds(run.settings):g} s; until then they say that the log went back.")
    run.say("`caudal verify` shows whether everything agrees.")
    return Result(after={"rebuilt": views})


async def _rebuild(run: Run, view: str) -> None:
    """Completes the version of a view that was begun, and switches to it."""
    table = await filled(run.installation, RebuildView(view=view), run.progress_of(view, "positions"))
    await view_named(run.installation, view).switch(table)
    run.say(f"{view} is rebuilt.")


def _notice_seconds(settings: Settings) -> float:
    """Returns within how many seconds processes notice: a relay at its next attempt, a subscription at its next comparison."""
    return max(MAX_PAUSE_SECONDS, settings.stall_seconds) + MAX_SILENCE_SECONDS


def described(loss: Loss) -> Iterator[str]:
    """Yields what a log has lost, what that has caused, and what will be done."""
    lost, context = loss.lost, loss.context
    positions = f"positions {lost[0].position} to {loss.found.lost_up_to}"
    yield (f"The log of {context} went back: {counted(len(lost), 'event')} on its topic {_are(lost)} not in it, {positions}.")
    yield (f"Log and topic agree up to position {loss.found.shared}. The lost events, recorded until {lost[-1].recorded_at}:")
    for event in lost[:_SHOWN_EVENTS]:
        yield f"  {event.position}  {event.recorded_at:%Y-%m-%d %H:%M:%SZ}  {event.type}  {event.stream}"
    if len(lost) > _SHOWN_EVENTS:
        yield f"  … and {len(lost) - _SHOWN_EVENTS:,} more"
    if loss.retaken:
        yield (
            f"{counted(loss.retaken, 'new event')} of the log {_have(loss.retaken)} such a position. A consumer of the topic"
            " that recognises repeats by position has to start over at the header ce_timeline."
        )
    for (caused_in, type), count in loss.effects.items():
        yield (f"The lost events have caused {counted(count, 'event')} {type} in {caused_in}, which {_stay(count)}.")
    yield "What will be done: the loss is accepted, and the log is published again on a new timeline."
    for one in loss.seen_by:
        then = ", and its view is rebuilt" if one.projection is not None else ", its commands are sent again"
        yield f"The {one.kind} {one.name} goes back to position {loss.found.shared}{then}."
    for unsettled in loss.unsettled:
        yield (
            f"The policy {unsettled.policy.name} goes back to position {unsettled.position} of {unsettled.context}: it sends"
            " commands again whose events are lost."
        )


async def _go_back(one: InstalledSubscription, context: ContextName, shared: int) -> None:
    store = one.store_of(context)
    at = await store.checkpoints.of(context)
    targets = {partition: min(position, shared) for partition, position in at.items()}
    async with store.transaction() as connection:
        await store.checkpoints.lock(connection, [(context, partition) for partition in targets])
        await store.checkpoints.reset(connection, context, targets)


async def _accept(installation: Installation, loss: Loss) -> None:
    """Accepts the loss; notes it first if no relay has done that."""
    store = installation.log_store(loss.context)
    log = PostgresLog(store, loss.context)
    if (pending := (await log.timelines()).pending) is None:
        number = loss.found.newest_timeline + 1
        await store.execute("timeline_begin", number, loss.found.shared, loss.found.lost_up_to)
        pending = (await log.timelines()).pending
        assert pending is not None, "it was noted just now"
    await store.execute("timeline_accept", pending.number)


def _stay(count: int) -> str:
    return "stays" if count == 1 else "stay"


def _are(some: Sequence[object]) -> str:
    return "is" if len(some) == 1 else "are"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


RECOVER = Operation("recover", LostContext, recover)
