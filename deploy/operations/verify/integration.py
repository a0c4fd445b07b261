"""Verification of integration topics against the logs whose events they are made of, and publishing of what is missing."""

import time
from collections.abc import AsyncIterator

from deploy.console.printing import counted
from deploy.operations.verify.report import Report
from deploy.operations.verify.topic import relayed_up_to, topic_report
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.broker.clients import ResilientProducer
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import integration_store
from streams.integration_topics.publishing import publish_records
from streams.integration_topics.records import IntegrationRecords
from streams.integration_topics.registry import OwnRegistry
from streams.integrity.compared_topic import ComparedTopic
from streams.integrity.integration_verification import IntegrationVerification
from streams.log.search import SearchableLog
from streams.settings import Settings

_POSITIONS_PER_READ = 100


async def verify_integration(
    settings: Settings, catalog: Catalog, databases: Databases, context: ContextName, *, repair: bool
) -> AsyncIterator[Report]:
    """Yields a report on each integration topic of a context's events; with ``repair`` of the state after it.

    Raises `Unavailable`.
    """
    store = integration_store(settings, databases)
    records = await IntegrationRecords.registered(context, settings, catalog, store)
    schemas = await OwnRegistry(store, settings.schema_registry_url).definitions()
    log = SearchableLog(Store.of_log(databases, settings.log_dsn(context), context), context)
    for topic in sorted(records.topics):
        started, repaired = time.monotonic(), None

        async def verified_topic(topic: str = topic) -> ComparedTopic:
            relayed = await relayed_up_to(settings, databases, context)
            return await IntegrationVerification(settings, log, records, schemas, topic).run(relayed)

        verified = await verified_topic()
        missing = sorted({finding.position for finding in verified.findings if finding.kind == "missing"})
        if repair and missing:
            repaired = f"published {counted(await _publish(settings, log, records, missing), 'record')} again"
            verified = await verified_topic()
        report = _report(verified, context, time.monotonic() - started)
        report.repaired = repaired
        yield report


async def _publish(settings: Settings, log: SearchableLog, records: IntegrationRecords, positions: list[int]) -> int:
    producer = ResilientProducer(settings, "backfill")
    published = 0
    try:
        async with producer.connected() as client:
            for at in range(0, len(positions), _POSITIONS_PER_READ):
                rows = await log.read_positions(positions[at : at + _POSITIONS_PER_READ])
                published += await publish_records(client, records, rows)
    finally:
        await producer.close()
    return published


def _report(verified: ComparedTopic, context: ContextName, seconds: float) -> Report:
    notes = {
        "repeated": "records repeat others: they have the same ids",
        "expired": "records were deleted by the topic's retention",
    }
    name, events = f"{verified.topic} ({context})", verified.records - verified.repeated
    return topic_report(verified, name, events, {}, "each at least once, as its event makes it", notes, seconds)
