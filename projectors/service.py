"""The projectors' process: every installed projection on one subscription."""

from projectors.projection import Projection
from projectors.projector import Projector
from schemas.catalog import Catalog, registered
from streams.log import PostgresLog
from streams.postgres import Databases
from streams.settings import Settings
from streams.subscription import Subscription

GROUP = "projectors"


def installed() -> dict[str, tuple[Projection, ...]]:  # type: ignore[type-arg]
    """The projections of every installed system, by its name."""
    return dict(registered("caudal.projectors"))


async def run(settings: Settings, catalog: Catalog) -> None:
    """Keeps every installed view up to date, until cancelled."""
    # A view's rows and its position are committed together, so a crash can only set both back: no need to wait for disk.
    views = Databases("caudal_projector", settings.pool_size, durable=False)
    databases = Databases("caudal_projector", settings.pool_size)
    logs = {context: PostgresLog(databases, settings.log_dsn(context), context) for context in catalog.contexts}
    projectors = [
        Projector(settings, catalog, system, projection, views, logs)
        for system, projections in installed().items()
        for projection in projections
    ]
    try:
        await Subscription(settings, catalog, GROUP, projectors, logs).run()
    finally:
        await views.close()
        await databases.close()
