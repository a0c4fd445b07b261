"""``caudal relay backfill``: publishes part of a log once more."""

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from deploy.console.connection import connected
from deploy.console.printing import counted
from query_api.audit.history import Selection, bounds, place
from schemas.catalog import Catalog, ContextName
from schemas.errors import Rejected
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.search import Conditions, SearchableLog
from streams.relay.backfill import Backfill
from streams.settings import Settings


async def backfill(
    context: ContextName, begin: str | None, end: str | None, data_dir: Path, settings: Settings, *, apply: bool
) -> None:
    """Fills the topic from a position or time to another, or prints what it would; raises `Unavailable` and `Rejected`."""
    settings = connected(settings, data_dir)
    catalog = Catalog.installed(settings.systems)
    catalog.context(context)
    places = (None if text is None else place(text, name) for text, name in ((begin, "--from"), (end, "--to")))
    console = Console(highlight=False, soft_wrap=True)
    databases = Databases("caudal_reader", pool_size=1)
    try:
        log = SearchableLog(Store.of_log(databases, settings.log_dsn(context), context), context)
        after, up_to = await bounds(log, Selection(Conditions(), *places))
        if after >= up_to:
            raise Rejected(f"{context} has no events there: its log ends at {(await log.head()).position}")
        console.print(f"{counted(up_to - after, 'event')} of {context} are published again: positions {after + 1} to {up_to}.")
        if not apply:
            console.print("Nothing was done: --apply does it.")
            return
        errors = Console(stderr=True)
        with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
            task = progress.add_task(str(context), total=max(up_to - after, 1))
            published = await Backfill(settings, catalog, log).between(
                after, up_to, lambda position: progress.update(task, completed=position - after)
            )
    finally:
        await databases.close()
    console.print(f"Done: {counted(published, 'event')}, marked as backfilled.")
