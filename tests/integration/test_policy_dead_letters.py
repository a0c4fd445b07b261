"""Dead letters of policies: events whose reaction fails are parked, and their commands are sent once it works."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from aggregates.data_ingestion.validation import POLICIES
from command_api.clock import now
from command_api.composition import make_handler, open_logs
from command_api.policies.runner import PolicyRunner
from command_api.policies.stores import policy_stores
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command
from streams.bounded_processes import BoundedProcesses
from streams.broker.provisioning import ensure_topics
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.installation import Installation
from streams.settings import Settings
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.subscriber import Batch
from tests.integration.spoilt import INGESTION, VALIDATION


async def test_an_event_whose_reaction_fails_is_parked_and_its_commands_are_sent_once_it_works(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    logs = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, logs, databases, BoundedProcesses())
    for n in range(6):
        command = ReceiveData(partner_id="p", payload={"n": n})
        await handler.handle(CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c"))
    rows = await logs[INGESTION].read(0, 100)
    victim, is_broken = next(row for row in rows if row.type == "DataIngested"), True

    def react(event: RecordedEvent[Any]) -> Iterable[Command]:
        if is_broken and event.position == victim.position:
            raise LookupError("no rule for it")
        return POLICIES[0].reactions[type(event.data)](event)

    policy = replace(POLICIES[0], reactions=dict.fromkeys(POLICIES[0].reactions, react)).of("data_ingestion")

    async def handle(envelope: CommandEnvelope[Any]) -> None:
        await handler.handle(envelope)

    await ensure_topics(settings, catalog)
    stores = policy_stores(Installation(settings, catalog, databases), policy)
    sender = CommandSender(settings, catalog)
    runner = PolicyRunner(catalog, policy, logs, stores, sender, handle, Turns())
    for partition in range(4):
        await runner.handle([Batch(INGESTION, partition, [row for row in rows if row.partition == partition])])

    dead_letters = stores[INGESTION].dead_letters
    assert [(dead_letter.position, dead_letter.error) for dead_letter in await dead_letters.all()] == [
        (victim.position, "LookupError: no rule for it")
    ]
    (dead_letter,) = await dead_letters.all()
    assert 'raise LookupError("no rule for it")' in str(dead_letter.traceback)
    assert __file__ in str(dead_letter.traceback)
    is_broken = False
    before = (await logs[VALIDATION].head()).position
    await dead_letters.redrive(await dead_letters.all())
    await runner.retry()

    assert await dead_letters.all() == []
    assert (await logs[VALIDATION].head()).position == before + 1
    await sender.close()
    for log in logs.values():
        await log.drain()
