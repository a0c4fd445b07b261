"""A rolling deploy: an older version never moves a checkpoint past an event that only a newer one knows."""

import asyncio

import pytest

from deploy.schemas.followed_events import record_followed_events
from projectors.projector import Projector
from schemas.catalog import Catalog
from schemas.data_ingestion.processing import DataProcessed
from streams.database.pools import Databases
from streams.settings import Settings
from streams.subscriptions.subscription import Subscription
from tests.conftest import eventually
from tests.integration.deliveries import RECORDS
from tests.integration.running import NAME, started


def older(settings: Settings, catalog: Catalog, projector: Projector) -> None:
    """Makes a projector one of the version that did not know how deliveries are processed."""
    known = tuple(event for event in RECORDS.events if event is not DataProcessed)
    projector._types = catalog.event_types(known)
    projector.events = catalog.event_versions(known)
    projector.contexts = frozenset(context for context, _ in projector._types)


@pytest.mark.parametrize("which", ["older first", "newer first"])
async def test_rows_are_right_with_both_versions_side_by_side(
    settings: Settings, catalog: Catalog, databases: Databases, which: str
) -> None:
    await record_followed_events(settings, catalog)
    assert await record_followed_events(settings, catalog) == []
    beside = settings.model_copy(update={"instance": "older" if which == "newer first" else "a-older", "stall_seconds": 1.0})
    async with started(settings, catalog, databases, stall_seconds=1) as running:
        projector = Projector(running.installation, RECORDS, running.logs)
        older(settings, catalog, projector)
        other = Subscription(beside, catalog, "projectors", [projector], running.logs)
        task = asyncio.create_task(other.run())

        async def is_suspended() -> bool:
            return "follows other events" in str(other.why_not_ready()) and NAME in str(other.why_not_ready())

        await eventually(is_suspended, what="the suspension of the older version")
        for _ in range(4):
            await running.add(10)
            await asyncio.sleep(0.5)
        await running.shows(40, seconds=60)
        assert await running.is_verified()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_migration_by_the_older_version_lets_it_run_again(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    """A deploy that is rolled back."""
    async with started(settings, catalog, databases, stall_seconds=1) as running:
        control = running.subscription._controls[NAME]
        store = running.projector.store.store
        for events, is_paused in ((["DataReceived@1"], True), (None, False)):
            for context in running.projector.events:
                recorded = sorted(running.projector.events[context]) if events is None else events
                async with databases.connection(settings.write_dsn) as connection:
                    await connection.fetch(store.sql("followed_events_set"), NAME, str(context), recorded)

            async def follows(wanted: bool = is_paused) -> bool:
                return control.is_of_another_version is wanted

            await eventually(follows)
        await running.add(5)
        await running.shows(5)
