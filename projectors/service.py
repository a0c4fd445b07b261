"""The process of the projectors: every installed projection on one subscription."""

from projectors.discovery import installed
from projectors.projector import Projector
from projectors.rebuild import Rebuild
from projectors.rebuild_progress import RebuildProgress
from schemas.catalog import Catalog
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.migrations.view_shapes import why_shapes_are_wrong
from streams.settings import Settings
from streams.subscriptions.subscription import Subscription
from streams.telemetry.duties import Duties

GROUP = "projectors"


class Projectors:
    """Keeps every installed view up to date."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        # A view's rows and its position are committed together, so a crash can only set both back: no need to wait for disk.
        self._views = Databases("caudal_projector", settings.pool_size, durable=False)
        self._databases = Databases("caudal_projector", settings.pool_size)
        views = Installation(settings, catalog, self._views)
        self._installation = Installation(settings, catalog, self._databases)
        logs = {context: PostgresLog(self._installation.log_store(context), context) for context in catalog.contexts}
        self._dsns = {settings.view_dsn(context) for context, _ in catalog.views()}
        projections = installed(catalog)
        projectors = [Projector(views, projection, logs) for projection in projections]
        self._subscription = Subscription(settings, catalog, GROUP, projectors, logs)
        self._progress = RebuildProgress([Rebuild(self._installation, projection) for projection in projections])

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            async with Duties() as tasks:
                tasks.create_task(self._subscription.run())
                tasks.create_task(self._progress.run())
        finally:
            await self._views.close()
            await self._databases.close()

    async def why_not_ready(self) -> str | None:
        """Returns why not every view is being kept up to date, or ``None``."""
        out_of_reach = await self._databases.out_of_reach(self._dsns)
        return out_of_reach or await why_shapes_are_wrong(self._installation) or self._subscription.why_not_ready()
