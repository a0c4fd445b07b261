"""Verification of topics against their logs, and backfilling of what is missing or altered."""

import time
from collections.abc import Mapping

from deploy.console.printing import counted
from deploy.operations.run import Show
from deploy.operations.verify.report import Report
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrity.compared_topic import ComparedTopic
from streams.integrity.topic_verification import TopicVerification, VerifiedTopic
from streams.log.search import SearchableLog
from streams.relay.backfill import Backfill
from streams.settings import Settings


async def verify_topic(
    settings: Settings, catalog: Catalog, databases: Databases, context: ContextName, show: Show, *, repair: bool
) -> Report:
    """Verifies the topic of one context's events; with ``repair`` the report is of the state after it. Raises `Unavailable`."""
    log = SearchableLog(Store.of_log(databases, settings.log_dsn(context), context), context)
    started = time.monotonic()

    async def verified_topic() -> VerifiedTopic:
        relayed = await relayed_up_to(settings, databases, context)
        return await TopicVerification(settings, catalog, log).run(relayed, show)

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
    facts = {"relayed_up_to": verified.relayed_up_to}
    return topic_report(verified, verified.topic, verified.events, facts, "each once and in order", notes, seconds)


async def relayed_up_to(settings: Settings, databases: Databases, context: ContextName) -> int:
    """Returns the position of the relay's cursor in a context's log; raises `Unavailable`."""
    relay = await Store.of_log(databases, settings.log_dsn(context), context).fetchrow("relay_state")
    assert relay is not None, "the migration made the row"
    return int(relay["position"])


def topic_report(
    verified: ComparedTopic,
    name: str,
    events: int,
    facts: Mapping[str, int],
    summary: str,
    notes: Mapping[str, str],
    seconds: float,
) -> Report:
    """Returns the report on a topic; ``notes`` say what the numbers mean that say nothing against it, by their names."""
    return Report(
        part="topic",
        name=name,
        events=events,
        facts={"records": verified.records, **facts} | {note: getattr(verified, note) for note in notes},
        summary=summary,
        found=verified.found,
        findings=[
            {"position": finding.position, "partition": finding.partition, "what": finding.kind}
            for finding in verified.findings
        ],
        notes=[f"{count:,} {what}" for note, what in notes.items() if (count := getattr(verified, note))],
        seconds=round(seconds, 3),
    )
