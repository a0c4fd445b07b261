"""Lets subscriptions rest and go on, and puts them elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console

from deploy.console.connection import connected
from deploy.operations.subscriptions.installed import InstalledSubscription, named, subscriptions
from projectors.reset import clear_view
from query_api.audit.history import place
from schemas.catalog import Catalog, ContextName
from schemas.errors import Rejected
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.search import SearchableLog
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Where a subscription is to be put."""

    to: str
    """``beginning``, ``head``, a position, or a time."""
    context: str | None
    """Only in this context; ``None`` for all that it follows."""
    keep_rows: bool
    """Whether a view keeps rows that are about to see events again."""
    apply: bool
    """Whether to do it, or only to say what would be done."""


async def pause(name: str, data_dir: Path, settings: Settings) -> None:
    """Lets a subscription rest until it is resumed; whoever runs it notices within a second."""
    async with subscriptions(connected(settings, data_dir)) as found:
        for store in named(found, name).stores:
            await store.checkpoints.pause()


async def resume(name: str, data_dir: Path, settings: Settings) -> None:
    """Lets it go on from where it stands; what came meanwhile is read from the log."""
    async with subscriptions(connected(settings, data_dir)) as found:
        for store in named(found, name).stores:
            await store.checkpoints.resume()


async def reset(name: str, wanted: Reset, data_dir: Path, settings: Settings) -> None:
    """Puts a subscription elsewhere, or prints where it would be put.

    A view is put back to its beginning by emptying it; put anywhere else below where it stands, its rows would see events
    twice: rejected, unless that is asked for. Raises `Rejected` or `NotFound`.
    """
    settings = connected(settings, data_dir)
    catalog = Catalog.installed(settings.systems)
    console = Console(highlight=False, soft_wrap=True)
    async with subscriptions(settings) as found:
        subscription = named(found, name)
        targets = await _targets(subscription, wanted, catalog, settings)
        emptied = await _plan(subscription, wanted, targets, console)
        if not wanted.apply:
            console.print("Nothing was done: --apply does it.")
            return
        for store in subscription.stores:
            async with store.transaction() as connection:
                for context in store.contexts & targets.keys():
                    await store.checkpoints.lock(connection, [(context, partition) for partition in targets[context]])
                    await store.checkpoints.reset(connection, context, targets[context])
                if emptied and subscription.projection is not None:
                    await clear_view(connection, subscription.projection)
        console.print("Done.")


async def _targets(
    subscription: InstalledSubscription, wanted: Reset, catalog: Catalog, settings: Settings
) -> Mapping[ContextName, dict[int, int]]:
    """The position in each partition, by context."""
    contexts = subscription.contexts if wanted.context is None else (ContextName.parse(wanted.context),)
    if strange := set(contexts) - set(subscription.contexts):
        raise Rejected(f"{subscription.name} does not follow {', '.join(map(str, strange))}")
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
    target = place(to, "--to")
    if isinstance(target, datetime):
        return await log.position_before(target)
    if target > (head := (await log.head()).position):
        raise Rejected(f"the log of {log.context} ends at {head}")
    return target


async def _plan(
    subscription: InstalledSubscription, wanted: Reset, targets: Mapping[ContextName, dict[int, int]], console: Console
) -> bool:
    """Prints what will change and returns whether the view has to be emptied; raises `Rejected`."""
    back = False
    for context, positions in targets.items():
        now = (await subscription.store_of(context).checkpoints.all()).get(context, {})
        for partition, position in positions.items():
            console.print(f"{context}/{partition}: {now.get(partition, 0)} → {position}", markup=False)
            back = back or position < now.get(partition, 0)
    if subscription.projection is None or not back or wanted.keep_rows:
        return False
    if set(targets) != set(subscription.contexts) or any(any(positions.values()) for positions in targets.values()):
        raise Rejected(
            "rows of the view would see events twice: put it back to its beginning, which empties it, rebuild it beside"
            " the live one (`caudal projections rebuild`), or say --keep-rows where its folds bear that"
        )
    console.print(f"The view {subscription.name} is emptied, and filled from the log again.")
    return True
