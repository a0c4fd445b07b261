"""The offsets of the commands group are lost: nothing is handled twice, and what cannot be decided is parked unanswered."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from command_api.clock import now
from command_api.composition import open_logs
from command_api.topic_worker import TopicWorker
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope
from schemas.system import ContextName
from streams.broker.clients import new_admin, start, stop_quietly
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.log.appending import AppendablePostgresLog
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.aged_receipts import add_receipts_of_last_week, age_receipts
from tests.integration.at_work import at_work
from tests.integration.test_commands_by_topic import everything
from tests.integration.workers import topic_worker

INGESTION = ContextName("data_ingestion", "ingestion")
SCHEMA = "data_ingestion__ingestion"


class Bench:
    """Commands on one partition, and workers whose group has no offsets."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, owner: asyncpg.Connection) -> None:
        self.settings, self.catalog, self.databases, self.owner = settings, catalog, databases, owner
        self.log: AppendablePostgresLog = open_logs(settings, catalog, databases)[INGESTION]
        self.topics = Topics(settings, catalog)
        self._groups = 0

    @asynccontextmanager
    async def working(self) -> AsyncIterator[TopicWorker]:
        worker = topic_worker(self.settings, self.catalog, self.databases)
        worker._consumer._group = f"commands-{self._groups}"
        self._groups += 1
        async with at_work(worker.run()):
            yield worker

    async def send(self, count: int) -> list[UUID]:
        sender, ids = CommandSender(self.settings, self.catalog), [uuid4() for _ in range(count)]
        for n, id in enumerate(ids):
            data = ReceiveData(partner_id="p", payload={"n": n})
            await sender.send([(INGESTION, CommandEnvelope(data=data, id=id, at=now(), correlation_id="c"), "key")])
        await sender.close()
        return ids

    async def are_handled(self, ids: Sequence[UUID]) -> None:
        async def handled() -> bool:
            return await self.log.answers(ids) == dict.fromkeys(ids)

        await eventually(handled, 30)

    async def causes(self) -> list[UUID]:
        """The command of each event, in the order of the log."""
        rows = await self.owner.fetch(f"select metadata->>'command_id' as id from {SCHEMA}.events order by position")
        return [UUID(row["id"]) for row in rows]

    async def noted(self) -> list[Any]:
        return list(await self.owner.fetch(f"select partition, up_to, expired_up_to from {SCHEMA}.handled_commands"))


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the operator to the database of the settings."""
    connection = await asyncpg.connect(settings.write_dsn)
    yield connection
    await connection.close()


@pytest.fixture
def bench(settings: Settings, catalog: Catalog, databases: Databases, owner: asyncpg.Connection) -> Bench:
    return Bench(settings, catalog, databases, owner)


async def test_after_receipts_were_dropped_nothing_is_handled_twice_and_what_cannot_be_decided_is_parked(bench: Bench) -> None:
    async with bench.working():
        old = await bench.send(6)
        await bench.are_handled(old)
        await age_receipts(bench.owner, SCHEMA)
        recent = await bench.send(2)
        await bench.are_handled(recent)
        await asyncio.sleep(0.5)
    await add_receipts_of_last_week(bench.owner, SCHEMA)
    assert len(await bench.log.purge_receipts(timedelta(days=7))) == 1
    assert await bench.log.answers(old) == {}
    new = await bench.send(3)

    async with bench.working():
        await bench.are_handled(new)

    assert await bench.causes() == [id for id in (*old, *recent, *new) for _ in range(2)], "each has its two events once"
    assert await bench.log.answers(old) == {}, "no receipt says that a command that may have been handled is rejected"
    parked = await everything(bench.settings, bench.topics.dead_letters(INGESTION), 6)
    assert [UUID(dict(record.headers)["ce_id"].decode()) for record in parked] == old
    assert {dict(record.headers)["dead_letter_error"].partition(b":")[0] for record in parked} == {b"ReceiptExpired"}


async def test_while_all_receipts_are_there_commands_that_come_again_have_their_answers(bench: Bench) -> None:
    ids = await bench.send(6)
    for _ in range(2):
        async with bench.working():
            await bench.are_handled([*ids, *await bench.send(1)])

    assert len(await bench.causes()) == 16


async def test_a_topic_that_was_created_anew_holds_new_commands(bench: Bench) -> None:
    async with bench.working():
        old = await bench.send(4)
        await bench.are_handled(old)
        await age_receipts(bench.owner, SCHEMA)
        await bench.are_handled(await bench.send(1))
        await asyncio.sleep(0.5)
    await add_receipts_of_last_week(bench.owner, SCHEMA)
    assert len(await bench.log.purge_receipts(timedelta(days=7))) == 1
    assert [row["expired_up_to"] for row in await bench.noted()] == [4]
    admin = new_admin(bench.settings)
    await start(admin)
    await admin.delete_topics([bench.topics.commands(INGESTION)])
    await stop_quietly(admin)
    await ensure_topics(bench.settings, bench.catalog)
    new = await bench.send(8)

    async with bench.working():
        await bench.are_handled(new)
        await asyncio.sleep(0.5)

    assert [(row["up_to"], row["expired_up_to"]) for row in await bench.noted()] == [(7, None)]
