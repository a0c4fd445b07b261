"""A rolling deploy: an older version neither skips an event nor rejects a command that only a newer one knows."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from aggregates.data_ingestion.validation import POLICIES
from aggregates.policy import Policy
from command_api.clock import now
from command_api.composition import make_handler, open_logs
from command_api.policies.runner import PolicyRunner
from command_api.policies.stores import policy_stores
from deploy.schemas.recorded_version import record_version
from projectors.projector import Projector
from schemas.catalog import Catalog
from schemas.data_ingestion import SYSTEM
from schemas.data_ingestion.ingestion import DataReceived, ReceiveData
from schemas.data_ingestion.processing import DataProcessed
from schemas.engine import SYSTEM as ENGINE_SYSTEM
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.installation import Installation
from streams.settings import Settings
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.subscription import Subscription
from tests.conftest import eventually
from tests.integration.deliveries import RECORDS, all_handled
from tests.integration.running import NAME, started
from tests.integration.workers import topic_worker

INGESTION, VALIDATION = ContextName("data_ingestion", "ingestion"), ContextName("data_ingestion", "validation")


class OlderReceiveData(Command, name=ReceiveData.message_name):
    partner_id: str


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
    await record_version(settings, catalog)
    assert await record_version(settings, catalog) == []
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


@pytest.mark.parametrize("which", ["older first", "newer first"])
async def test_a_policy_of_the_older_version_skips_no_event_to_which_only_the_newer_reacts(
    settings: Settings, catalog: Catalog, databases: Databases, which: str
) -> None:
    await record_version(settings, catalog)
    beside = settings.model_copy(update={"instance": "older" if which == "newer first" else "a-older", "stall_seconds": 1.0})
    logs, sender = open_logs(settings, catalog, databases), CommandSender(settings, catalog)
    handler = make_handler(settings, catalog, logs, databases, BoundedProcesses())

    def policies(settings: Settings, policy: Policy) -> Subscription:
        async def handle(command: CommandEnvelope[Command]) -> None:
            await handler.handle(command)

        stores = policy_stores(Installation(settings, catalog, databases), policy)
        runner = PolicyRunner(catalog, policy, logs, stores, sender, handle, Turns())
        return Subscription(settings, catalog, "policies", [runner], logs)

    newer = POLICIES[0].of("data_ingestion")
    older = policies(beside, replace(newer, reactions={DataReceived: lambda _: ()}))
    async with started(settings, catalog, databases, stall_seconds=1) as running:
        work = [policies(running.settings, newer).run(), older.run(), topic_worker(settings, catalog, databases, handler).run()]
        tasks = [asyncio.create_task(part) for part in work]

        async def is_suspended() -> bool:
            return "follows other events" in str(older.why_not_ready()) and newer.full_name in str(older.why_not_ready())

        await eventually(is_suspended, what="the suspension of the older version")
        for _ in range(4):
            await all_handled(settings, catalog, databases, [ReceiveData(partner_id="p", payload={})] * 10)
            await asyncio.sleep(0.5)

        async def all_are_validated() -> bool:
            return (await logs[VALIDATION].head()).position == 40

        await eventually(all_are_validated, 60)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await sender.close()


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


@pytest.mark.parametrize("commands", [(), (OlderReceiveData,)])
async def test_a_command_or_field_that_only_the_newer_version_knows_waits_for_it(
    settings: Settings, catalog: Catalog, databases: Databases, commands: tuple[type[Command], ...]
) -> None:
    contexts = (replace(SYSTEM.contexts[0], commands=commands), *SYSTEM.contexts[1:])
    older_catalog = Catalog.of([replace(SYSTEM, contexts=contexts), ENGINE_SYSTEM])
    logs, sender = open_logs(settings, catalog, databases), CommandSender(settings, catalog)
    handler = make_handler(settings, catalog, logs, databases, BoundedProcesses())
    newer = topic_worker(settings, catalog, databases, handler)
    older = topic_worker(settings.model_copy(update={"instance": "older"}), older_catalog, databases, handler)
    command = CommandEnvelope(
        data=ReceiveData(partner_id="p", payload={}), id=uuid4(), at=now(), correlation_id="c", policy="data_ingestion.later"
    )
    unknown = CommandEnvelope(data=ReceiveData(partner_id="p", payload={}), id=uuid4(), at=now(), correlation_id="c")

    async def answered(id: object) -> bool:
        return id in await logs[INGESTION].answers([command.id, unknown.id])

    assert "data_ingestion.ingestion: commands" in await record_version(settings, catalog)
    working = asyncio.create_task(older.run())
    await sender.send([(INGESTION, one, "key") for one in (command, unknown)])

    async def waits() -> bool:
        return "data_ingestion.receive-data waits for a worker of it" in str(older.why_not_ready())

    await eventually(waits, 30)
    assert await logs[INGESTION].answers([command.id, unknown.id]) == {}

    beside = asyncio.create_task(newer.run())

    async def has_partitions() -> bool:
        return newer.why_not_ready() is None

    await eventually(has_partitions, 60)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    async def both() -> bool:
        return await answered(command.id) and await answered(unknown.id)

    await eventually(both, 60)
    assert set((await logs[INGESTION].answers([command.id, unknown.id])).values()) == {None}
    beside.cancel()
    await asyncio.gather(beside, return_exceptions=True)
    await sender.close()


async def test_a_command_that_no_version_knows_is_answered_when_the_deploy_is_over(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    contexts = (replace(SYSTEM.contexts[0], commands=()), *SYSTEM.contexts[1:])
    older_catalog = Catalog.of([replace(SYSTEM, contexts=contexts), ENGINE_SYSTEM])
    await record_version(settings, catalog)
    assert await record_version(settings, older_catalog) == ["data_ingestion.ingestion: commands"]
    logs, sender = open_logs(settings, catalog, databases), CommandSender(settings, catalog)
    handler = make_handler(settings, catalog, logs, databases, BoundedProcesses())
    working = asyncio.create_task(topic_worker(settings, older_catalog, databases, handler).run())
    command = CommandEnvelope(data=ReceiveData(partner_id="p", payload={}), id=uuid4(), at=now(), correlation_id="c")
    await sender.send([(INGESTION, command, "key")])

    async def rejected() -> bool:
        return "no command" in str((await logs[INGESTION].answers([command.id])).get(command.id))

    await eventually(rejected, 30)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await sender.close()
