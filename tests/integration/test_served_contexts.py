"""Processes that serve some contexts alone: together they do everything, and each does nothing of the others'."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from command_api.clock import now
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.data_ingestion.validation import ValidateData
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from schemas.system import ContextName
from streams.broker.topic_names import Topics
from streams.commands.consumer import CommandConsumer
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.installation import Installation
from streams.relay.service import RelayService
from streams.settings import Settings
from streams.subscriptions.subscription import Subscription
from tests.conftest import eventually
from tests.integration.at_work import at_work
from tests.integration.deliveries import received_validated_and_processed
from tests.integration.recorder import Recorder
from tests.integration.running import Running

INGESTION, VALIDATION, PROCESSING = (ContextName("data_ingestion", name) for name in ("ingestion", "validation", "processing"))


def serving(settings: Settings, *contexts: ContextName) -> Settings:
    named = [str(context) for context in contexts]
    return settings.model_copy(update={"contexts": named, "instance": "-".join(name.context for name in contexts)})


async def test_subscriptions_share_the_contexts(settings: Settings, catalog: Catalog, databases: Databases) -> None:
    running = Running(settings, catalog, databases)
    rows = await received_validated_and_processed(settings, catalog, databases, 20)
    one, other = (Recorder(settings, catalog, databases) for _ in range(2))
    shares = ((one, (INGESTION,)), (other, (VALIDATION, PROCESSING)))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(at_work(RelayService(settings, catalog).run()))
        for recorder, contexts in shares:
            subscription = Subscription(serving(settings, *contexts), catalog, "recorders", [recorder], running.logs)
            await stack.enter_async_context(at_work(subscription.run()))
        wanted = {(context, row.position) for context, found in rows.items() for row in found if context.system != "engine"}

        async def everything() -> bool:
            return {*one.handled, *other.handled} >= wanted

        await eventually(everything, 30)

    assert {context for context, _ in one.handled} == {INGESTION}
    assert {context for context, _ in other.handled} == {VALIDATION, PROCESSING}
    assert len(one.handled) + len(other.handled) == len(wanted), "none came twice"


async def test_a_process_does_not_do_what_another_one_leaves(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    running = Running(settings, catalog, databases)
    await received_validated_and_processed(settings, catalog, databases, 5)
    recorder = Recorder(settings, catalog, databases)
    own = serving(settings, INGESTION).model_copy(update={"stall_seconds": 0.2})
    subscription = Subscription(own, catalog, "recorders", [recorder], running.logs)

    async def handled() -> bool:
        return len(recorder.handled) == 10

    async with at_work(RelayService(settings, catalog).run(), subscription.run()):
        await eventually(handled, 30)
        await asyncio.sleep(3)  # many times as long as a partition of another process may wait

    assert {context for context, _ in recorder.handled} == {INGESTION}


async def test_relays_share_the_contexts(settings: Settings, catalog: Catalog, databases: Databases) -> None:
    await received_validated_and_processed(settings, catalog, databases, 5)
    installation = Installation(settings, catalog, databases)

    async def positions() -> list[int]:
        states = [await installation.log_store(context).fetchrow("relay_state") for context in (INGESTION, VALIDATION)]
        return [state["position"] for state in states if state is not None]

    async def first() -> bool:
        return (await positions())[0] == 10

    async def both() -> bool:
        return min(await positions()) > 0

    one, other = (RelayService(serving(settings, context), catalog) for context in (INGESTION, VALIDATION))
    async with at_work(one.run()):
        await eventually(first, 30)
        await asyncio.sleep(1)
        assert (await positions())[1] == 0, "the other context's log was relayed"
        assert await one.why_not_ready() is None
        async with at_work(other.run()):
            await eventually(both, 30)


async def test_consumers_of_commands_share_the_contexts(settings: Settings, catalog: Catalog) -> None:
    shares = ((INGESTION,), (VALIDATION, PROCESSING))
    handled: list[list[Any]] = [[], []]
    topics, sender = Topics(settings, catalog), CommandSender(settings, catalog)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(sender.close)
        for contexts, own in zip(shares, handled, strict=True):

            async def note(records: Sequence[Any], own: list[Any] = own) -> None:
                own += records

            consumer = CommandConsumer(serving(settings, *contexts), catalog, "commands")
            await stack.enter_async_context(at_work(consumer.run(note, lambda: None)))

            async def ready(consumer: CommandConsumer = consumer) -> bool:
                return consumer.why_not_ready() is None

            await eventually(ready, 30)
        ingestion = [(INGESTION, _envelope(ReceiveData(partner_id="p", payload={})), str(n)) for n in range(10)]
        validation = [
            (VALIDATION, _envelope(ValidateData(data_id=uuid4(), partner_id="p", payload={})), str(n)) for n in range(10)
        ]
        await sender.send([*ingestion, *validation])

        async def everything() -> bool:
            return sum(map(len, handled)) == 20

        await eventually(everything, 30)

    assert [{topics.context_of(record.topic) for record in own} for own in handled] == [{INGESTION}, {VALIDATION}]


def _envelope(command: Command) -> CommandEnvelope[Command]:
    return CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c")
