"""Verification of topics against their logs, and backfilling of what is missing or altered."""

import time

from deploy.console.printing import counted
from deploy.operations.verify.report import Report, Reporter
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store, log_schema, statement
from streams.integrity.topic_verification import TopicVerification, VerifiedTopic
from streams.log.search import SearchableLog
from streams.relay.backfill import Backfill
from streams.settings import Settings


async def verify_topic(
    settings: Settings, catalog: Catalog, databases: Databases, context: ContextName, reporter: Reporter, *, repair: bool
) -> Report:
    """Verifies the topic of one context's events; with ``repair`` the report is of the state after it. Raises `Unavailable`."""
    log = SearchableLog(Store.of_log(databases, settings.log_dsn(context), context), context)
    started = time.monotonic()

    async def verified_topic() -> VerifiedTopic:
        async with databases.connection(settings.log_dsn(context)) as connection:
            relay = await connection.fetchrow(statement("relay_state", log_schema(context)))
        assert relay is not None, "the migration made the row"
        with reporter.progress(f"topic {context}") as show:
            return await TopicVerification(settings, catalog, log).run(relay["position"], show)

    verified, repaired = await verified_topic(), None
    repairable = {finding.position for finding in verified.findings if finding.kind != "extra"}
    if repair and repairable:
        published = 0
        while repairable:
            published += await Backfill(settings, catalog, log).positions(sorted(repairable))
            verified, before = await verified_topic(), repairable
            repairable = {finding.position for finding in verified.findings if finding.kind != "extra"} - before
        repaired = f"published {counted(published, 'event')} again"
    report = _report(verified, time.monotonic() - started)
    report.repaired = repaired
    report.facts["behind"] = (await log.head()).position - verified.relayed_up_to
    return report


def _report(verified: VerifiedTopic, seconds: float) -> Report:
    notes = {
        "repeated": "records repeat an event: harmless, subscribers skip repeats",
        "backfilled": "events were filled in from the log later",
        "lost": "records are of events that the log has lost, as an operator has accepted",
        "foreign": "records are not events of Caudal; each subscription parks them and continues",
        "expired": "events were deleted by the topic's retention",
    }
    return Report(
        part="topic",
        name=verified.topic,
        events=verified.events,
        facts={"records": verified.records, "relayed_up_to": verified.relayed_up_to}
        | {name: getattr(verified, name) for name in notes},
        summary="each once and in order",
        found=verified.found,
        findings=[
            {"position": finding.position, "partition": finding.partition, "what": finding.kind}
            for finding in verified.findings
        ],
        notes=[f"{count:,} {what}" for name, what in notes.items() if (count := getattr(verified, name))],
        seconds=round(seconds, 3),
    )
