"""A subscriber that notes the events that it is given."""

from collections.abc import Sequence

from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch


class Recorder:
    """Subscribes to all contexts of data_ingestion, and notes new events and what is invalidated."""

    name = "test.recorder"

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self.contexts = frozenset(name for name in catalog.contexts if name.system == "data_ingestion")
        views = Store.of_views(databases, settings.write_dsn, ContextName("data_ingestion", "ingestion"))
        self.stores = [SubscriptionStore.at(settings, views, self.name, self.contexts)]
        self.events: dict[ContextName, frozenset[str]] = {}
        self.handled: list[tuple[ContextName, int]] = []
        self.invalidated: set[tuple[ContextName, int]] = set()

    async def position(self, context: ContextName, partition: int) -> int:
        return (await self.stores[0].checkpoints.read(context, partition)).position

    async def handle(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            position = await self.position(batch.context, batch.partition)
            self.handled += [(batch.context, row.position) for row in batch.events if row.position > position]
            await self.stores[0].checkpoints.advance(batch.context, batch.partition, batch.events[-1].position, 0)

    async def wait_for_room(self) -> None:
        pass

    async def retry(self) -> None:
        pass

    async def park(self, context: ContextName, event: StoredEvent, error: Exception) -> None:
        raise AssertionError("nothing fails") from error

    def invalidate(self, context: ContextName, partition: int) -> None:
        self.invalidated.add((context, partition))
