"""A projector whose projection fails for some events, and can be repaired."""

from dataclasses import replace
from typing import Any

import orjson

from projectors.projection import Projection
from projectors.projector import Projector
from projectors.reset import clear_view
from projectors.verification import ViewVerification
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataReceived
from schemas.data_ingestion.records import Records
from schemas.envelope import RecordedEvent
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from streams.subscriptions.dead_letters import DeadLetter
from streams.subscriptions.process_deaths.attempts import Attempt, Attempts
from tests.integration.deliveries import RECORDS, batches_of

INGESTION = ContextName("data_ingestion", "ingestion")
VALIDATION = ContextName("data_ingestion", "validation")
PROCESSING = ContextName("data_ingestion", "processing")
Logs = dict[ContextName, list[StoredEvent]]


class Bench:
    """The projector, the logs that it follows, and what a test reads."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self.settings, self.catalog, self.databases = settings, catalog, databases
        installation = Installation(settings, catalog, databases)
        self.logs = {context: PostgresLog(installation.log_store(context), context) for context in catalog.contexts}
        self.spoilt: dict[str, Any] = {}
        """The projection's replaced reactions, by the event's name and the delivery's id."""

    def projector(self, **changes: Any) -> Projector:
        settings = self.settings.model_copy(update={"dead_letter_attempts": 3, **changes})
        return Projector(Installation(settings, self.catalog, self.databases), self.projection(), self.logs)

    def projection(self) -> Projection[Records]:
        """The one of `projectors.data_ingestion`, except for the events that are spoilt."""

        def apply(row: Records, event: RecordedEvent[Any]) -> Records | None:
            if (spoilt := self.spoilt.get(f"{type(event.data).__name__} {event.data.data_id}")) is not None:
                return spoilt(row, event)  # type: ignore[no-any-return]
            return RECORDS.apply(row, event)

        return replace(RECORDS, apply=apply)

    def spoil(self, event: type, row: StoredEvent, what: Any = None) -> None:
        self.spoilt[f"{event.__name__} {orjson.loads(row.data)['data_id']}"] = what or broken

    async def dead_letters(self, **options: bool) -> list[DeadLetter]:
        return list(await self.projector().store.dead_letters.all(**options))

    async def repaired(self, logs: Logs) -> Projector:
        """Returns a projector whose first event was parked, edited and applied."""
        self.spoil(DataReceived, logs[INGESTION][0])
        projector = self.projector()
        await projector.handle(batches_of(logs, 10_000))
        dead_letter = (await self.dead_letters())[0]
        data = {**orjson.loads(dead_letter.stored_event().data), "partner_id": "repaired"}
        await projector.store.dead_letters.edit(dead_letter, orjson.dumps(data).decode())
        self.spoilt.clear()
        await projector.store.dead_letters.redrive([dead_letter])
        await projector.retry()
        assert await self.dead_letters() == []
        return projector

    async def complete(self) -> int:
        async with self.databases.connection(self.settings.write_dsn) as connection:
            sql = (
                "select count(*) from data_ingestion__ingestion__views.records where ingestion_status = 'ingested'"
                " and partner_id = 'p' and validation_status = 'valid' and processing_status = 'processed'"
            )
            return int(await connection.fetchval(sql))

    def verification(self) -> ViewVerification:
        return ViewVerification(Installation(self.settings, self.catalog, self.databases), RECORDS, self.logs)

    async def is_verified(self) -> bool:
        return (await self.verification().run(lambda done, total: None)).found == 0

    async def note_attempt(self, subscription: str = RECORDS.full_name) -> None:
        """Notes what a process that handles the first events of a partition notes."""
        attempts = Attempts(self.projector().store.store, subscription)
        await attempts.note({(INGESTION, partition): Attempt(1, 100, 0) for partition in range(2)})

    async def attempts(self) -> set[str]:
        """Returns the subscriptions that have noted attempts."""
        async with self.databases.connection(self.settings.write_dsn) as connection:
            sql = "select subscription from data_ingestion__ingestion__views.attempts"
            return {row["subscription"] for row in await connection.fetch(sql)}

    async def make_due(self) -> None:
        async with self.databases.connection(self.settings.write_dsn) as connection:
            await connection.execute("update data_ingestion__ingestion__views.dead_letters set due_at = now() - interval '1 s'")


def broken(row: Records, event: RecordedEvent[Any]) -> Records:
    raise ZeroDivisionError("the projection is broken")


async def put_back(projector: Projector) -> None:
    """Resets a view as `caudal subscriptions reset --to beginning` does."""
    checkpoints = projector.store.checkpoints
    async with projector.store.transaction() as connection:
        for context, at in (await checkpoints.all()).items():
            await checkpoints.lock(connection, [(context, partition) for partition in at])
            await checkpoints.reset(connection, context, dict.fromkeys(at, 0))
        await clear_view(connection, RECORDS)
