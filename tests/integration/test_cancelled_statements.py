"""Statements that PostgreSQL cancels while they wait for a lock: a delay, and never a command's answer or a process's end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from command_api.clock import now
from command_api.composition import make_handler, open_logs
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.installation import Installation
from streams.relay.fair_share import FairShare
from streams.relay.relay import Relay
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.workers import topic_worker

CONTEXT = ContextName("data_ingestion", "ingestion")
SCHEMA = "data_ingestion__ingestion"
WAITING = "datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture
async def databases() -> AsyncIterator[Databases]:
    made = Databases("caudal_writer", 6)
    yield made
    await made.close()


class Lock:
    """A session that holds the rows of a table, and cancels who waits for them."""

    def __init__(self, holder: asyncpg.Connection, observer: asyncpg.Connection) -> None:
        self._holder, self._observer = holder, observer

    @asynccontextmanager
    async def held(self, table: str) -> AsyncIterator[None]:
        async with self._holder.transaction():
            await self._holder.execute(f"select * from {SCHEMA}.{table} for update")
            yield

    async def cancel_a_waiting_statement(self) -> None:
        async def cancelled() -> bool:
            return bool(await self._observer.fetch(f"select pg_cancel_backend(pid) from pg_stat_activity where {WAITING}"))

        await eventually(cancelled, 30, "a statement that waits")


@pytest.fixture
async def lock(settings: Settings) -> AsyncIterator[Lock]:
    holder, observer = [await asyncpg.connect(settings.write_dsn) for _ in range(2)]
    yield Lock(holder, observer)
    await holder.close()
    await observer.close()


def receive() -> CommandEnvelope[ReceiveData]:
    data = ReceiveData(partner_id="acme", payload={"n": 1})
    return CommandEnvelope(data=data, id=uuid4(), at=now(), correlation_id="c")


async def test_a_command_by_topic_is_handled_afterwards_and_not_parked(
    settings: Settings, catalog: Catalog, databases: Databases, lock: Lock
) -> None:
    logs, sender, command = open_logs(settings, catalog, databases), CommandSender(settings, catalog), receive()
    worker = topic_worker(settings, catalog, databases)
    working = asyncio.create_task(worker.run())
    async with lock.held("head"):
        await sender.send([(CONTEXT, command, "key")])
        for _ in range(3):
            await lock.cancel_a_waiting_statement()

    async def answered() -> bool:
        return bool(await logs[CONTEXT].answers([command.id]))

    await eventually(answered, 30)
    assert await logs[CONTEXT].answers([command.id]) == {command.id: None}
    assert [row.type for row in await logs[CONTEXT].read(0, 10)] == ["DataReceived", "DataIngested"]
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await sender.close()


async def test_a_client_learns_of_an_outage_and_may_send_the_same_command_again(
    settings: Settings, catalog: Catalog, databases: Databases, lock: Lock
) -> None:
    logs, command = open_logs(settings, catalog, databases), receive()
    handler = make_handler(settings, catalog, logs, databases, BoundedProcesses())
    async with lock.held("head"):
        handling = asyncio.create_task(handler.handle(command))
        await lock.cancel_a_waiting_statement()
        with pytest.raises(Unavailable):
            await handling

    receipt = await handler.handle(command)

    assert (receipt.repeated, receipt.version) == (False, 2)


async def test_a_relay_whose_renewal_is_cancelled_goes_on(
    settings: Settings, catalog: Catalog, databases: Databases, lock: Lock
) -> None:
    relay = Relay(Installation(settings, catalog, databases), CONTEXT, "one", FairShare([CONTEXT]))
    running = asyncio.create_task(relay.run())

    async def is_owner() -> bool:
        return relay.is_owner and relay.is_published

    await eventually(is_owner)
    async with lock.held("relay"):
        await lock.cancel_a_waiting_statement()

    await asyncio.sleep(0.2)
    await eventually(is_owner, 30)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
