"""One projector and a relay for each log that it follows, running in the test's own process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from projectors.data_ingestion import PROJECTIONS
from projectors.projector import Projector
from projectors.verification import ViewVerification
from schemas.catalog import Catalog
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.relay.fair_share import FairShare
from streams.relay.relay import Relay
from streams.settings import Settings
from streams.subscriptions.gap_filling import REPAIRED
from streams.subscriptions.subscriber import Subscriber
from streams.subscriptions.subscription import Subscription
from tests.conftest import eventually
from tests.integration.deliveries import received_validated_and_processed

NAME = "data_ingestion.records"


class Running:
    """One projector and a relay for each log that it or the others follow, in this process."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, others: Sequence[Subscriber] = ()) -> None:
        """``others`` follow the same topics in the same process, and come first."""
        self.settings, self.catalog, self.databases = settings, catalog, databases
        installation = Installation(settings, catalog, databases)
        self.logs = {context: PostgresLog(installation.log_store(context), context) for context in catalog.contexts}
        self.projector = Projector(settings, catalog, "data_ingestion", PROJECTIONS[0], databases, self.logs)
        self.subscription = Subscription(settings, catalog, "projectors", [*others, self.projector], self.logs)
        followed = sorted({context for subscriber in (*others, self.projector) for context in subscriber.contexts})
        share = FairShare(followed)
        self.relays = [Relay(Installation(settings, catalog, databases), context, "one", share) for context in followed]
        self.repaired_before = self._repaired()

    async def add(self, deliveries: int) -> None:
        await received_validated_and_processed(self.settings, self.catalog, self.databases, deliveries)
        for relay in self.relays:
            relay.wake()

    async def count(self) -> int:
        async with self.databases.connection(self.settings.write_dsn) as connection:
            sql = "select count(*) from data_ingestion_ingestion_views.records where processing_status = 'processed'"
            return int(await connection.fetchval(sql))

    async def shows(self, deliveries: int, seconds: float = 30) -> None:
        async def there() -> bool:
            return await self.count() == deliveries

        await eventually(there, seconds, f"{deliveries} rows")

    async def is_verified(self) -> bool:
        own = (self.settings, self.catalog, "data_ingestion", PROJECTIONS[0], self.databases, self.logs)
        return (await ViewVerification(*own).run(lambda done, total: None)).found == 0

    @property
    def repaired(self) -> float:
        """How many events came from the log because the topic had not brought them."""
        return self._repaired() - self.repaired_before

    def _repaired(self) -> float:
        return float(sum(REPAIRED.labels(NAME, str(context))._value.get() for context in self.logs))


@asynccontextmanager
async def started(
    settings: Settings,
    catalog: Catalog,
    databases: Databases,
    others: Sequence[Subscriber] = (),
    *,
    stall_seconds: float = 10.0,
) -> AsyncIterator[Running]:
    settings = settings.model_copy(update={"relay_lease_seconds": 10.0, "stall_seconds": stall_seconds})
    running = Running(settings, catalog, databases, others)
    work = [running.subscription.run(), *(relay.run() for relay in running.relays)]
    tasks = [asyncio.create_task(part) for part in work]
    try:
        yield running
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
