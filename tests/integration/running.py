"""One projector and a relay for each log that it follows, running in the test's own process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from projectors.projector import Projector
from projectors.verification import ViewVerification
from schemas.catalog import Catalog
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.relay.fair_share import FairShare
from streams.relay.relay import Relay
from streams.settings import Settings
from streams.subscriptions.gap_filling import GAP_FILLED
from streams.subscriptions.subscriber import Subscriber
from streams.subscriptions.subscription import Subscription
from tests.conftest import eventually
from tests.integration.deliveries import RECORDS, received_validated_and_processed

NAME = "data_ingestion.records"


class Running:
    """One projector and a relay for each log that it or the others follow, in this process."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, others: Sequence[Subscriber] = ()) -> None:
        """``others`` follow the same topics in the same process, and come first."""
        self.settings, self.catalog, self.databases = settings, catalog, databases
        self.installation = installation = Installation(settings, catalog, databases)
        self.logs = {context: PostgresLog(installation.log_store(context), context) for context in catalog.contexts}
        self.projector = Projector(installation, RECORDS, self.logs)
        self.subscription = Subscription(settings, catalog, "projectors", [*others, self.projector], self.logs)
        followed = sorted({context for subscriber in (*others, self.projector) for context in subscriber.contexts})
        share = FairShare(followed)
        self.relays = [Relay(installation, context, "one", share) for context in followed]
        self.gap_filled_before = self._gap_filled()

    async def add(self, deliveries: int) -> None:
        await received_validated_and_processed(self.settings, self.catalog, self.databases, deliveries)
        for relay in self.relays:
            relay.wake()

    async def count(self) -> int:
        async with self.databases.connection(self.settings.view_dsn(RECORDS.home)) as connection:
            sql = "select count(*) from data_ingestion__ingestion__views.records where processing_status = 'processed'"
            return int(await connection.fetchval(sql))

    async def shows(self, deliveries: int, seconds: float = 30) -> None:
        async def there() -> bool:
            return await self.count() == deliveries

        await eventually(there, seconds, f"{deliveries} rows")

    async def is_verified(self) -> bool:
        verification = ViewVerification(self.installation, RECORDS, self.logs)
        return (await verification.run(lambda done, total: None)).found == 0

    @property
    def gap_filled(self) -> float:
        """Returns the number of events that were read from the log because the topic did not deliver them."""
        return self._gap_filled() - self.gap_filled_before

    def _gap_filled(self) -> float:
        return float(sum(GAP_FILLED.labels(NAME, str(context))._value.get() for context in self.logs))


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
