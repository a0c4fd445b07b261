"""Pausing, resuming and resetting of subscriptions."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from deploy.console.places import parse_place
from deploy.operations.installed_subscriptions import InstalledSubscription, named
from deploy.operations.operation import Operation
from deploy.operations.run import Parameters, Result, Run
from projectors.reset import clear_view
from schemas.errors import Rejected
from schemas.system import ContextName
from streams.log.search import SearchableLog

Targets = Mapping[ContextName, Mapping[int, int]]
"""A position in each partition of each context."""


class Pause(Parameters):
    """The subscription to pause or to resume."""

    subscription: str = Field(description="Its name: `system.name`.")


class Reset(Parameters):
    """The subscription to reset, and where to."""

    subscription: str = Field(description="Its name: `system.name`.")
    to: str = Field(description="`beginning`, `head`, a position, a date, or a time.")
    context: str | None = Field(default=None, description="Only in this context; all that the subscription follows without it.")
    keep_rows: bool = Field(default=False, description="Whether a view keeps rows that will see events again.")


async def pause(run: Run, wanted: Pause) -> Result:
    """Pauses a subscription, in every process that runs it, until it is resumed; they notice within a second."""
    name = wanted.subscription
    subscription = named(run.installation.subscriptions, name)
    if all(await _paused(subscription)):
        run.say(f"{name} is paused already. Resume it with `caudal subscriptions resume {name} --apply`.")
        return Result()
    run.say(f"The {subscription.kind} {name} will be paused.")
    if await run.begin({"state": "active"}):
        for store in subscription.stores:
            await store.checkpoints.pause()
        run.say(f"{name} is paused. Resume it with `caudal subscriptions resume {name} --apply`.")
    return Result(after={"state": "paused"})


async def resume(run: Run, wanted: Pause) -> Result:
    """Resumes a paused subscription at its checkpoint; the events since then are read from the log."""
    name = wanted.subscription
    subscription = named(run.installation.subscriptions, name)
    if not any(await _paused(subscription)):
        run.say(f"{name} is not paused.")
        return Result()
    run.say(f"The {subscription.kind} {name} will be resumed.")
    if await run.begin({"state": "paused"}):
        for store in subscription.stores:
            await store.checkpoints.resume()
        run.say(f"{name} is resumed.")
    return Result(after={"state": "active"})


async def reset(run: Run, wanted: Reset) -> Result:
    """Moves the checkpoint of a subscription; commands that a policy sends again are recognised as repeats.

    A view that goes back to the beginning is emptied. If it went back to any other place, its rows would see events twice:
    that is rejected unless ``keep_rows`` is set. Raises `Rejected` or `NotFound`.
    """
    subscription = named(run.installation.subscriptions, wanted.subscription)
    targets = await _targets(run, subscription, wanted)
    before = {context: await subscription.store_of(context).checkpoints.of(context) for context in targets}
    is_emptied = _plan(run, subscription, wanted, before, targets)
    if await run.begin({"checkpoints": _shown(before)}):
        for store in subscription.stores:
            async with store.transaction() as connection:
                for context in store.contexts & targets.keys():
                    await store.checkpoints.lock(connection, [(context, partition) for partition in targets[context]])
                    await store.checkpoints.reset(connection, context, targets[context])
                if is_emptied and subscription.projection is not None:
                    await clear_view(connection, subscription.projection)
        run.say("Done.")
    return Result(after={"checkpoints": _shown(targets)})


async def _paused(subscription: InstalledSubscription) -> list[bool]:
    """Returns whether it is paused in each of its stores: an interrupted pause has reached only some of them."""
    return [(await store.checkpoints.control_state()).is_paused for store in subscription.stores]


async def _targets(run: Run, subscription: InstalledSubscription, wanted: Reset) -> Targets:
    contexts = subscription.contexts if wanted.context is None else (ContextName.parse(wanted.context),)
    if unknown := set(contexts) - set(subscription.contexts):
        followed = ", ".join(map(str, subscription.contexts))
        raise Rejected(f"{subscription.name} does not follow {', '.join(map(str, unknown))}; it follows {followed}")
    found = {}
    for context in contexts:
        log = SearchableLog(run.installation.within("caudal_reader").log_store(context), context)
        heads = (await log.head()).partitions
        up_to = await _position(log, wanted.to)
        found[context] = {partition: min(up_to, head) for partition, head in enumerate(heads)}
    return found


async def _position(log: SearchableLog, to: str) -> int:
    if to == "beginning":
        return 0
    if to == "head":
        return (await log.head()).position
    target = parse_place(to, "--to", ("beginning", "head"))
    if isinstance(target, datetime):
        return await log.position_before(target)
    if target > (head := (await log.head()).position):
        raise Rejected(f"--to {target} is beyond the end of the log of {log.context}, which is at position {head}")
    return target


def _plan(run: Run, subscription: InstalledSubscription, wanted: Reset, before: Targets, targets: Targets) -> bool:
    """Says what will change and returns whether the view has to be emptied; raises `Rejected`."""
    goes_back = False
    for context, positions in targets.items():
        for partition, position in positions.items():
            now = before[context].get(partition, 0)
            run.say(f"{context}, partition {partition}: {now} → {position}")
            goes_back = goes_back or position < now
    if subscription.projection is None or not goes_back or wanted.keep_rows:
        return False
    if set(targets) != set(subscription.contexts) or any(any(positions.values()) for positions in targets.values()):
        raise Rejected(
            "rows of the view would see events twice. Reset it to `beginning`, which empties it, or build it again beside "
            f"the live one (`caudal projections rebuild {subscription.name}`), or add --keep-rows if the projection is "
            "idempotent"
        )
    run.say(f"The view {subscription.name} will be emptied and filled from the log again.")
    return True


def _shown(positions: Targets) -> dict[str, dict[str, int]]:
    return {
        str(context): {str(partition): position for partition, position in own.items()} for context, own in positions.items()
    }


PAUSE = Operation("subscriptions/pause", Pause, pause)
RESUME = Operation("subscriptions/resume", Pause, resume)
RESET = Operation("subscriptions/reset", Reset, reset)
