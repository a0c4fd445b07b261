"""The projectors' process: every installed projection on one subscription."""

import asyncio

from projectors.projection import Projection
from projectors.projector import Projector
from projectors.rebuild import Rebuild
from projectors.rebuild_progress import RebuildProgress
from schemas.catalog import Catalog
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.settings import Settings
from streams.subscriptions.subscription import Subscription

GROUP = "projectors"


def installed(catalog: Catalog) -> dict[str, tuple[Projection, ...]]:  # type: ignore[type-arg]
    """The projections of a catalog's systems, by their names."""
    return dict(catalog.registered("caudal.projectors"))


class Projectors:
    """Keeps every installed view up to date."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        # A view's rows and its position are committed together, so a crash can only set both back: no need to wait for disk.
        self._views = Databases("caudal_projector", settings.pool_size, durable=False)
        self._databases = Databases("caudal_projector", settings.pool_size)
        installation = Installation(settings, catalog, self._databases)
        logs = {context: PostgresLog(installation.log_store(context), context) for context in catalog.contexts}
        every = [(system, projection) for system, projections in installed(catalog).items() for projection in projections]
        projectors = [Projector(settings, catalog, *one, self._views, logs) for one in every]
        self._subscription = Subscription(settings, catalog, GROUP, projectors, logs)
        self._progress = RebuildProgress([Rebuild(settings, catalog, *one, self._databases) for one in every])

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._subscription.run())
                tasks.create_task(self._progress.run())
        finally:
            await self._views.close()
            await self._databases.close()

    async def why_not_ready(self) -> str | None:
        """Why no view is being kept up to date yet, or ``None``."""
        return self._subscription.why_not_ready()
