"""A log that went back behind what was published, as a restored backup and a failover leave it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy.operations.projections.rebuilding import REBUILD, RebuildView
from deploy.operations.recovery import recovering
from deploy.operations.recovery.recovering import RECOVER, LostContext
from projectors.versions import VersionedView
from schemas.catalog import Catalog
from schemas.errors import NotAsSigned, Unavailable
from schemas.system import ContextName
from streams.broker.clients import new_consumer, start, stop_quietly
from streams.broker.divergence import divergence, is_ahead
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.installation import Installation
from streams.integrity.head_signer import HeadSigner
from streams.integrity.log_verification import Verification
from streams.integrity.proof_log import ProofLog
from streams.integrity.signed_heads_topic import published_heads
from streams.integrity.signing import Signer, Verifier
from streams.integrity.topic_verification import TopicVerification, VerifiedTopic
from streams.log.reading import PostgresLog
from streams.log.search import SearchableLog
from streams.log.timelines import Timelines
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.conftest import eventually
from tests.databases import database_of, in_database
from tests.integration.deliveries import RECORDS, received_validated_and_processed
from tests.integration.running import started
from tests.operating import operate, said
from tests.postgres import dump, restore

INGESTION = ContextName("data_ingestion", "ingestion")


class Deployment:
    """A deployment with some deliveries in its backup, and ten more that its topics have and its restored log has not."""

    def __init__(self, settings: Settings, catalog: Catalog, contexts: list[ContextName]) -> None:
        self.settings, self.catalog, self.contexts = settings, catalog, contexts
        self.databases = Databases(None, 16)
        self.installation = Installation(settings, catalog, self.databases)

    def log(self, context: ContextName = INGESTION) -> SearchableLog:
        return SearchableLog(self.installation.log_store(context), context)

    async def verified_topic(self, context: ContextName) -> VerifiedTopic:
        row = await self.installation.log_store(context).fetchrow("relay_state")
        assert row is not None
        return await TopicVerification(self.settings, self.catalog, self.log(context)).run(row["position"], lambda *_: None)


async def made(settings: Settings, catalog: Catalog, *, views_stay: bool, backed_up: int = 10) -> Deployment:
    """Runs a deployment, backs it up, runs it on, and restores the backup; with ``views_stay`` the views are not restored."""
    databases = Databases(None, 16)
    name = database_of(settings.write_dsn)
    restored, views = f"{name}_restored", f"{name}_views"
    owner = await asyncpg.connect(in_database(settings.write_dsn, "postgres"))
    await owner.execute(f"create database {restored}")
    if views_stay:
        await owner.execute(f"create database {views}")
        settings = settings.model_copy(update={"read_dsn": in_database(settings.write_dsn, views)})
        await migrate(settings, catalog)
    await owner.close()
    async with started(settings, catalog, databases) as running:
        await running.add(backed_up)
        await running.shows(backed_up)
    backup = await dump(settings.write_dsn)
    async with started(settings, catalog, databases) as running:
        await running.add(10)
        await running.shows(backed_up + 10)
    moved = in_database(settings.write_dsn, restored)
    await restore(moved, backup)
    await databases.close()
    settings = settings.model_copy(update={"write_dsn": moved})
    await migrate(settings, catalog)
    return Deployment(settings, catalog, [context for context in catalog.contexts if context.system == "data_ingestion"])


@pytest.fixture(params=[False, True], ids=["whole", "views-stay"])
async def deployment(request: pytest.FixtureRequest, settings: Settings, catalog: Catalog) -> AsyncIterator[Deployment]:
    found = await made(settings, catalog, views_stay=request.param)
    yield found
    await found.databases.close()


async def test_nothing_is_published_or_handled_until_the_loss_is_accepted(
    deployment: Deployment,
) -> None:
    settings, catalog = deployment.settings, deployment.catalog
    async with started(settings, catalog, deployment.databases, stall_seconds=1) as running:

        async def stopped() -> bool:
            return all(relay.why_stopped for relay in running.relays) and set(deployment.contexts) <= set(
                running.subscription._lost_events.suspended
            )

        await eventually(stopped, what="a stop")
        assert "run `caudal recover data_ingestion.ingestion`" in str(running.subscription.why_not_ready())
        rows = await running.count()
        await received_validated_and_processed(settings, catalog, deployment.databases, 5)
        await asyncio.sleep(3)
        assert await running.count() == rows, "no view takes new events for the lost ones"
        before = await deployment.verified_topic(INGESTION)

        tried = await operate(RECOVER, LostContext(context=str(INGESTION)), settings, apply=False)
        assert "went back: 20 events on its topic are not in it" in said(tried)
        assert "agree up to position 20" in said(tried)
        assert "10 new events of the log have such a position" in said(tried)
        assert tried.state == "planned"
        assert (await deployment.log().timelines()).pending is not None
        for context in deployment.contexts:
            done = await operate(RECOVER, LostContext(context=str(context)), settings)
        assert "Processes notice within 15 s" in said(done)
        await running.shows(15)
        assert await running.is_verified()

        async def ready() -> bool:
            return running.subscription.why_not_ready() is None

        await eventually(ready, what="readiness")

        async def published() -> bool:
            return all(relay.is_published for relay in running.relays)

        await eventually(published, what="the publication of what is new")
        assert [relay.why_stopped for relay in running.relays] == [None] * len(running.relays)
        await asyncio.sleep(1)

    assert before.found > 0
    for context in deployment.contexts:
        verified = await deployment.verified_topic(context)
        assert (verified.findings, verified.events) == ([], (await deployment.log(context).head()).position)
        assert verified.lost > 0
    tried = await operate(RECOVER, LostContext(context=str(INGESTION)), settings)
    assert "there is nothing to recover" in said(tried)


async def test_a_log_that_began_anew_and_overtook_its_topic_is_found_to_have_gone_back(
    settings: Settings, catalog: Catalog
) -> None:
    deployment = await made(settings, catalog, views_stay=False, backed_up=0)
    await received_validated_and_processed(deployment.settings, catalog, deployment.databases, 15)
    async with started(deployment.settings, catalog, deployment.databases, stall_seconds=1) as running:

        async def stopped() -> bool:
            return all(relay.why_stopped for relay in running.relays) and set(deployment.contexts) <= set(
                running.subscription._lost_events.suspended
            )

        await eventually(stopped, what="a stop")
        assert await running.count() == 0, "no view takes new events for the lost ones"
        for context in deployment.contexts:
            await operate(RECOVER, LostContext(context=str(context)), deployment.settings)
        await running.shows(15)
        assert await running.is_verified()
        for context in deployment.contexts:
            assert (await deployment.verified_topic(context)).findings == []
    await deployment.databases.close()


async def test_views_that_are_restored_without_their_logs_catch_up(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    owner = await asyncpg.connect(in_database(settings.write_dsn, "postgres"))
    views = [f"{database_of(settings.write_dsn)}_views_{n}" for n in (1, 2)]
    for name in views:
        await owner.execute(f"create database {name}")
    first, second = (in_database(settings.write_dsn, name) for name in views)
    settings, restored = (settings.model_copy(update={"read_dsn": dsn}) for dsn in (first, second))
    await migrate(settings, catalog)
    async with started(settings, catalog, databases) as running:
        await running.add(10)
        await running.shows(10)
        backup = await dump(first)
        await running.add(10)
        await running.shows(20)
    await restore(second, backup)
    await migrate(restored, catalog)

    async with started(restored, catalog, databases, stall_seconds=1) as running:
        await running.shows(20)
        await running.add(5)
        await running.shows(25)
        assert await running.is_verified()
        assert running.subscription.why_not_ready() is None
    await databases.close()
    for name in views:
        await owner.execute(f"drop database {name} with (force)")
    await owner.close()


async def test_an_interrupted_recovery_leaves_the_views_that_are_to_be_rebuilt_marked(
    settings: Settings, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = await made(settings, catalog, views_stay=True)
    settings = deployment.settings

    async def interrupted(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(recovering, "_accept", interrupted)
        for context in deployment.contexts:
            with pytest.raises(Unavailable):
                await operate(RECOVER, LostContext(context=str(context)), settings)
    for context in deployment.contexts:
        await operate(RECOVER, LostContext(context=str(context)), settings)

    view = VersionedView(deployment.installation, RECORDS)
    if (await view.versions()).building is not None:
        await operate(REBUILD, RebuildView(view="data_ingestion.records"), settings)
    async with started(settings, catalog, deployment.databases, stall_seconds=1) as running:
        await running.shows(10)
        assert await running.is_verified()
    await deployment.databases.close()


async def test_a_log_can_go_back_again(settings: Settings, catalog: Catalog) -> None:
    deployment = await made(settings, catalog, views_stay=False)
    async with started(deployment.settings, catalog, deployment.databases, stall_seconds=1) as running:
        for context in deployment.contexts:
            await operate(RECOVER, LostContext(context=str(context)), deployment.settings)
        await running.add(3)
        await running.shows(13)
    # The same backup again: the second timeline is unknown to it.
    again = f"again_{uuid4().hex}"
    owner = await asyncpg.connect(in_database(settings.write_dsn, "postgres"))
    await owner.execute(f"create database {again}")
    await owner.close()
    other = settings.model_copy(update={"write_dsn": in_database(settings.write_dsn, again)})
    await restore(other.write_dsn, await dump(settings.write_dsn))
    async with started(other, catalog, deployment.databases, stall_seconds=1) as running:
        for context in deployment.contexts:
            await operate(RECOVER, LostContext(context=str(context)), other)
        await running.add(2)
        await running.shows(22)
        assert await running.is_verified()
        log = running.logs[INGESTION]
        assert (await log.timelines()).newest == 3
    await deployment.databases.close()


async def signed(installation: Installation, signer: Signer) -> int:
    """A signer that has just started signs the log."""
    made = HeadSigner(installation, signer)
    try:
        return await made.sign(INGESTION)
    finally:
        await made.close()


async def test_a_signed_head_of_lost_events_is_believed_until_the_loss_is_accepted(
    settings: Settings, catalog: Catalog, databases: Databases, signer: Signer
) -> None:
    installation = Installation(settings, catalog, databases)
    await received_validated_and_processed(settings, catalog, databases, 10)
    log, store = ProofLog(installation.log_store(INGESTION), INGESTION), installation.log_store(INGESTION)
    await signed(installation, signer)
    heads = await published_heads(settings, catalog, INGESTION)
    async with databases.connection(settings.write_dsn) as connection:
        schema = store.schema
        await connection.execute(f"delete from {schema}.events where position > 15")
        await connection.execute(f"delete from {schema}.streams where last_position > 15")
        await connection.execute(f"delete from {schema}.signed_heads")
        await connection.execute(
            f"update {schema}.head set position = 15, hash = (select hash from {schema}.events where position = 15)"
        )

    async def findings() -> list[str]:
        verified = await Verification(log, Verifier.of(signer.public), heads).run(lambda *_: None)
        return [*(finding.what for finding in verified.findings if "cut off" in finding.what), *verified.lost]

    with pytest.raises(NotAsSigned):
        await signed(installation, signer)
    assert "cut off" in (await findings())[0]
    await store.execute("timeline_begin", 2, 15, 20)
    with pytest.raises(NotAsSigned):
        await signed(installation, signer)
    await store.execute("timeline_accept", 2)

    assert await signed(installation, signer) == 15
    (only,) = await findings()
    assert "positions 16 to 20 of an earlier timeline are lost" in only


async def test_records_of_other_programs_hide_no_loss(settings: Settings, catalog: Catalog) -> None:
    deployment = await made(settings, catalog, views_stay=False)
    topic, log = Topics(settings, catalog).events(INGESTION), deployment.log()
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers)
    await producer.start()
    for partition in range(len((await log.head()).partitions)):
        for _ in range(60):
            await producer.send(topic, b"not an event", partition=partition)
    await producer.stop()

    consumer = new_consumer(settings, "test")
    await start(consumer)
    try:
        assert await is_ahead(log, consumer, topic, Timelines())
    finally:
        await stop_quietly(consumer)
    await deployment.databases.close()


async def test_a_topic_that_its_log_holds_has_not_diverged(settings: Settings, catalog: Catalog, databases: Databases) -> None:
    async with started(settings, catalog, databases) as running:
        await running.add(5)
        await running.shows(5)
        consumer = new_consumer(settings, "test")
        await start(consumer)
        log: PostgresLog = running.logs[INGESTION]
        assert await divergence(log, consumer, Topics(settings, catalog).events(INGESTION), Timelines()) is None
        await stop_quietly(consumer)
