"""Pausing, resuming and resetting of subscriptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from deploy.console.places import parse_place
from deploy.console.printing import confirmed, lines
from deploy.operations.subscriptions.installed import InstalledSubscription, named, subscriptions
from projectors.reset import clear_view
from schemas.catalog import Catalog
from schemas.errors import Rejected
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.log.search import SearchableLog
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """The options of a reset."""

    to: str
    """``beginning``, ``head``, a position, a date or a time."""
    context: str | None
    """Only in this context; ``None`` for all that the subscription follows."""
    keep_rows: bool
    """Whether a view keeps rows that will see events again."""
    apply: bool


async def pause(name: str, settings: Settings, *, apply: bool) -> None:
    """Pauses a subscription until it is resumed; the processes that run it notice within a second."""
    out = lines()
    async with subscriptions(settings) as found:
        subscription = named(found, name)
        if all(await _paused(subscription)):
            out.print(f"{name} is paused already. Resume it with `caudal subscriptions resume {name} --apply`.")
            return
        out.print(f"The {subscription.kind} {name} will be paused.")
        if confirmed(out, apply=apply):
            for store in subscription.stores:
                await store.checkpoints.pause()
            out.print(f"{name} is paused. Resume it with `caudal subscriptions resume {name} --apply`.")


async def resume(name: str, settings: Settings, *, apply: bool) -> None:
    """Resumes a subscription at its checkpoint; the events since then are read from the log."""
    out = lines()
    async with subscriptions(settings) as found:
        subscription = named(found, name)
        if not any(await _paused(subscription)):
            out.print(f"{name} is not paused.")
            return
        out.print(f"The {subscription.kind} {name} will be resumed.")
        if confirmed(out, apply=apply):
            for store in subscription.stores:
                await store.checkpoints.resume()
            out.print(f"{name} is resumed.")


async def reset(name: str, wanted: Reset, settings: Settings) -> None:
    """Moves the checkpoints of a subscription, or prints where they would move.

    A view that goes back to the beginning is emptied. If it went back to any other place, its rows would see events twice:
    that is rejected unless ``keep_rows`` is set. Raises `Rejected` or `NotFound`.
    """
    catalog = installed_catalog(settings.systems)
    out = lines()
    async with subscriptions(settings) as found:
        subscription = named(found, name)
        targets = await _targets(subscription, wanted, catalog, settings)
        is_emptied = await _plan(subscription, wanted, targets, out)
        if not confirmed(out, apply=wanted.apply):
            return
        for store in subscription.stores:
            async with store.transaction() as connection:
                for context in store.contexts & targets.keys():
                    await store.checkpoints.lock(connection, [(context, partition) for partition in targets[context]])
                    await store.checkpoints.reset(connection, context, targets[context])
                if is_emptied and subscription.projection is not None:
                    await clear_view(connection, subscription.projection)
        out.print("Done.")


async def _paused(subscription: InstalledSubscription) -> list[bool]:
    """Returns whether it is paused in each of its stores: an interrupted pause has reached only some of them."""
    return [(await store.checkpoints.control_state()).is_paused for store in subscription.stores]


async def _targets(
    subscription: InstalledSubscription, wanted: Reset, catalog: Catalog, settings: Settings
) -> Mapping[ContextName, dict[int, int]]:
    """Returns the position in each partition, by context."""
    contexts = subscription.contexts if wanted.context is None else (ContextName.parse(wanted.context),)
    if unknown := set(contexts) - set(subscription.contexts):
        followed = ", ".join(map(str, subscription.contexts))
        raise Rejected(f"{subscription.name} does not follow {', '.join(map(str, unknown))}; it follows {followed}")
    readers = Databases("caudal_reader", pool_size=1)
    try:
        found = {}
        for context in contexts:
            log = SearchableLog(Store.of_log(readers, settings.log_dsn(context), context), context)
            heads = (await log.head()).partitions
            up_to = await _position(log, wanted.to)
            found[context] = {partition: min(up_to, head) for partition, head in enumerate(heads)}
        return found
    finally:
        await readers.close()


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


async def _plan(
    subscription: InstalledSubscription, wanted: Reset, targets: Mapping[ContextName, dict[int, int]], out: Console
) -> bool:
    """Prints what will change and returns whether the view has to be emptied; raises `Rejected`."""
    goes_back = False
    for context, positions in targets.items():
        now = await subscription.store_of(context).checkpoints.of(context)
        for partition, position in positions.items():
            out.print(f"{context}, partition {partition}: {now.get(partition, 0)} → {position}", markup=False)
            goes_back = goes_back or position < now.get(partition, 0)
    if subscription.projection is None or not goes_back or wanted.keep_rows:
        return False
    if set(targets) != set(subscription.contexts) or any(any(positions.values()) for positions in targets.values()):
        raise Rejected(
            "rows of the view would see events twice. Reset it to `beginning`, which empties it, or build it again beside "
            f"the live one (`caudal projections rebuild {subscription.name}`), or add --keep-rows if the projection is "
            "idempotent"
        )
    out.print(f"The view {subscription.name} will be emptied and filled from the log again.")
    return True
