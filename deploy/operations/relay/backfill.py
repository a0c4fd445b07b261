"""``caudal relay backfill``: publishes a part of a log again."""

from rich.console import Console

from deploy.console.places import parse_place
from deploy.console.printing import confirmed, counted, lines
from deploy.console.progress import progress_bar
from query_api.audit.history import Selection, bounds
from schemas.errors import Rejected
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.log.search import Conditions, SearchableLog
from streams.relay.backfill import Backfill
from streams.settings import Settings


async def backfill(context: ContextName, begin: str | None, end: str | None, settings: Settings, *, apply: bool) -> None:
    """Fills the topic from one place in the log to another, or prints what it would fill.

    Raises `Rejected` if there are no events, and `Unavailable`.
    """
    catalog = installed_catalog(settings.systems)
    catalog.context(context)
    places = (None if text is None else parse_place(text, name) for text, name in ((begin, "--from"), (end, "--to")))
    out = lines()
    databases = Databases("caudal_reader", pool_size=1)
    try:
        log = SearchableLog(Store.of_log(databases, settings.log_dsn(context), context), context)
        after, up_to = await bounds(log, Selection(Conditions(), *places))
        if after >= up_to:
            raise Rejected(f"{context} has no events there: its log ends at {(await log.head()).position}")
        out.print(f"{counted(up_to - after, 'event')} of {context} will be published again, positions {after + 1} to {up_to}.")
        if not confirmed(out, apply=apply):
            return
        published = await _publish(Backfill(settings, catalog, log), str(context), after, up_to)
    finally:
        await databases.close()
    out.print(f"Done: {counted(published, 'event')}, marked as backfilled.")


async def _publish(work: Backfill, name: str, after: int, up_to: int) -> int:
    with progress_bar(Console(stderr=True), name, "events") as bar:
        return await work.between(after, up_to, lambda position: bar.show(position - after, up_to - after))
