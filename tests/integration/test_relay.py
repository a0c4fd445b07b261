"""The relay: every event of the log is in the topic, under any owner and after any loss of the broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from command_api.clock import now
from command_api.composition import make_handler, open_logs
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataIngested, ReceiveData
from schemas.envelope import CommandEnvelope, Metadata
from schemas.errors import LeaseLost, Rejected
from schemas.expected_version import NO_STREAM
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.broker.clients import started_producer, stop_quietly
from streams.broker.cloudevents import encode_event
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.integrity.topic_verification import TopicVerification, VerifiedTopic
from streams.log.appending import AppendablePostgresLog
from streams.log.reading import Append, Head, Write
from streams.log.search import SearchableLog
from streams.log.stored_events import ENVELOPE_BYTES, encode
from streams.relay.backfill import Backfill
from streams.relay.fair_share import FairShare
from streams.relay.lease import Lease
from streams.relay.partitions import BLOCKED
from streams.relay.relay import Relay
from streams.settings import Settings
from tests.conftest import eventually

CONTEXT = ContextName("data_ingestion", "ingestion")


@pytest.fixture
async def databases() -> AsyncIterator[Databases]:
    made = Databases("caudal_writer", 6)
    yield made
    await made.close()


class Log(AppendablePostgresLog):
    async def grow(self, count: int, text: str = "ñ\u2028") -> None:
        for _ in range(count):
            id = uuid4()
            event = DataIngested(data_id=id, partner_id="p", payload={"text": text})
            metadata = Metadata(command_id=id, correlation_id="c")
            await self.append(
                [
                    Append(
                        command_id=id,
                        fingerprint=b"",
                        metadata=metadata,
                        writes=(Write(f"d-{id}", NO_STREAM, (encode(event),)),),
                    )
                ]
            )

    async def is_in_the_topic(self, settings: Settings, catalog: Catalog) -> bool:
        up_to = (await self.head()).position
        verified = await self.verified(settings, catalog, up_to)
        return verified.found == 0 and verified.events == up_to

    async def verified(self, settings: Settings, catalog: Catalog, up_to: int) -> VerifiedTopic:
        log = SearchableLog(self._store, self.context)
        return await TopicVerification(settings, catalog, log).run(up_to, lambda done, total: None)

    async def cursor(self) -> tuple[int, str | None]:
        row = await self._store.fetchrow("relay_state")
        assert row is not None, "the migration made the row"
        return row["position"], row["problem"]


@pytest.fixture
def log(databases: Databases, settings: Settings) -> Log:
    return Log(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT, 4)


@asynccontextmanager
async def running(settings: Settings, catalog: Catalog, databases: Databases, owner: str) -> AsyncIterator[Relay]:
    relay = Relay(Installation(settings, catalog, databases), CONTEXT, owner, FairShare([CONTEXT]))
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_could_not_be_published_is_not_recorded_and_the_largest_event_is_published(
    settings: Settings, catalog: Catalog, databases: Databases, log: Log
) -> None:
    smaller = settings.model_copy(update={"max_body_bytes": 1})
    handler = make_handler(smaller, catalog, open_logs(smaller, catalog, databases), databases, BoundedProcesses())

    async def receive(length: int) -> None:
        command = ReceiveData(partner_id="p", payload={"text": "x" * length})
        await handler.handle(CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c"))

    with pytest.raises(Rejected, match="the event DataReceived would have"):
        await receive(smaller.max_record_bytes - ENVELOPE_BYTES)
    await receive(smaller.max_record_bytes - ENVELOPE_BYTES - 200)
    await receive(1)

    async with running(smaller, catalog, databases, "one") as relay:
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
        assert (await log.head()).position == 4
        assert relay.problem is None


async def lose(settings: Settings, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()


async def test_appended_events_are_published(settings: Settings, catalog: Catalog, databases: Databases, log: Log) -> None:
    await log.grow(20)

    async with running(settings, catalog, databases, "one"):
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
        await log.grow(20)
        await eventually(lambda: log.is_in_the_topic(settings, catalog))


async def test_a_relay_that_starts_again_resumes_at_its_cursor(
    settings: Settings, catalog: Catalog, databases: Databases, log: Log
) -> None:
    for _ in range(3):
        await log.grow(7)
        async with running(settings, catalog, databases, "one"):
            await eventually(lambda: log.is_in_the_topic(settings, catalog))


@pytest.mark.parametrize("name", ["ce_position", "ce_previous", "ce_streamversion", "ce_schemaversion", "ce_timeline"])
async def test_a_foreign_record_with_a_number_that_no_log_holds_stops_no_relay(
    settings: Settings, catalog: Catalog, databases: Databases, log: Log, name: str
) -> None:
    await log.grow(3)
    async with running(settings, catalog, databases, "one"):
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
    record = encode_event((await log.read(0, 1))[0], CONTEXT)
    headers = [*((n, value) for n, value in record.headers if n != name), (name, b"9" * 20)]
    producer = await started_producer(settings)
    for partition in range(4):
        topic = Topics(settings, catalog).events(CONTEXT)
        await producer.send_and_wait(topic, record.value, record.key, partition=partition, headers=headers)
    await stop_quietly(producer)

    await log.grow(3)
    async with running(settings, catalog, databases, "one") as relay:
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
        assert relay.is_published


async def test_a_topic_that_is_lost_during_relaying_is_filled_again(
    settings: Settings, catalog: Catalog, databases: Databases, log: Log
) -> None:
    topic = Topics(settings, catalog).events(CONTEXT)
    await log.grow(30)
    async with running(settings, catalog, databases, "one"):
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
        await lose(settings, topic)

        await eventually(lambda: log.is_in_the_topic(settings, catalog), 30)


async def test_a_backfill_into_a_lost_topic_does_not_hide_the_loss(
    settings: Settings, catalog: Catalog, databases: Databases, log: Log
) -> None:
    topic = Topics(settings, catalog).events(CONTEXT)
    await log.grow(40)
    async with running(settings, catalog, databases, "one"):
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
    await lose(settings, topic)
    backfill = Backfill(settings, catalog, SearchableLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT))
    await backfill.between(30, 40, lambda position: None)

    async with running(settings, catalog, databases, "one"):
        await eventually(lambda: log.is_in_the_topic(settings, catalog), 30)
    async with running(settings, catalog, databases, "two") as next_one:  # which publishes nothing again
        await log.grow(1)
        await eventually(lambda: log.is_in_the_topic(settings, catalog), 30)
        assert next_one.is_owner
    verified = await TopicVerification(
        settings, catalog, SearchableLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT)
    ).run(41, lambda done, total: None)
    assert (verified.events, verified.records) == (41, 51)


async def test_a_partition_that_rejects_an_event_waits_alone_and_nothing_is_published_twice(
    settings: Settings, catalog: Catalog, databases: Databases, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics_for_smaller_records = settings.model_copy(update={"max_body_bytes": 1})
    topic = Topics(settings, catalog).events(CONTEXT)
    await log.grow(40)
    await log.grow(1, "x" * (topics_for_smaller_records.max_record_bytes + 1))
    await log.grow(60)
    (large,) = await log.read(40, 1)
    expected = [row for row in await log.read(0, 101) if row.partition != large.partition or row.position < large.position]

    async def are_published_once() -> bool:
        verified = await log.verified(settings, catalog, 40)
        return (verified.records, verified.found) == (len(expected), 0)

    async with running(topics_for_smaller_records, catalog, databases, "one") as relay:
        await eventually(are_published_once)
        problem = f"partition {large.partition} of {topic} is not published from position 41 on: "

        async def is_named() -> bool:
            position, noted = await log.cursor()
            return position == 40 and (noted or "").startswith(problem) and (relay.problem or "").startswith(problem)

        await eventually(is_named)
        await asyncio.sleep(2)  # several attempts
        assert await are_published_once()
        assert BLOCKED.labels(str(CONTEXT))._value.get() == 1

        async def shorter() -> Head:
            return replace(await log.head(), position=60)  # above the cursor, below what the other partitions have

        monkeypatch.setattr(relay._log, "head", shorter)

        async def is_interrupted() -> bool:
            return not relay.is_published

        await eventually(is_interrupted, what="the notice that the log went back")
    async with running(topics_for_smaller_records, catalog, databases, "two") as successor:

        async def is_found_again() -> bool:
            return successor.problem is not None

        await eventually(is_found_again)
        await asyncio.sleep(1)
        assert await are_published_once()

    async with running(settings, catalog, databases, "three"):  # which configures the topic for larger records
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
        verified = await log.verified(settings, catalog, 101)
        assert (verified.records, verified.events, await log.cursor()) == (101, 101, (101, None))


async def test_what_was_acknowledged_before_a_crash_is_not_published_again(
    settings: Settings, catalog: Catalog, databases: Databases, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise RuntimeError("the process dies before its cursor moves")

    await log.grow(30)
    with monkeypatch.context() as dying:
        dying.setattr(Lease, "move", crash)
        async with running(settings, catalog, databases, "one"):
            await eventually(lambda: log.is_in_the_topic(settings, catalog))
    assert await log.cursor() == (0, None)

    await log.grow(10)
    async with running(settings, catalog, databases, "two"):
        await eventually(lambda: log.is_in_the_topic(settings, catalog))
        verified = await log.verified(settings, catalog, 40)

    assert (verified.records, verified.repeated) == (40, 0)


async def test_two_relays_take_turns_by_lease(settings: Settings, catalog: Catalog, databases: Databases, log: Log) -> None:
    async with running(settings, catalog, databases, "one"), running(settings, catalog, databases, "two"):
        await log.grow(40)
        await eventually(lambda: log.is_in_the_topic(settings, catalog))


class Process:
    """A process that could relay each of three logs."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, name: str) -> None:
        contexts = [context for context in catalog.contexts if context.system == CONTEXT.system]
        share = FairShare(contexts)
        self.relays = [Relay(Installation(settings, catalog, databases), context, name, share) for context in contexts]
        self.tasks = [asyncio.create_task(relay.run()) for relay in self.relays]

    @property
    def owned(self) -> int:
        return sum(relay.is_owner for relay in self.relays)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_processes_share_the_logs_evenly_as_they_start_and_stop(settings: Settings, catalog: Catalog) -> None:
    settings = settings.model_copy(update={"relay_lease_seconds": 3})  # no lease is lost only because the machine is busy
    databases = Databases("caudal_writer", 20)

    async def shares(*wanted: int) -> None:
        async def shared() -> bool:
            return sorted(process.owned for process in processes) == sorted(wanted)

        await eventually(shared, 60, f"shares of {wanted}")

    processes = [Process(settings, catalog, databases, "one")]
    await shares(3)
    processes.append(Process(settings, catalog, databases, "two"))
    await shares(1, 2)
    processes += [Process(settings, catalog, databases, name) for name in ("three", "four")]
    await shares(0, 1, 1, 1)
    for _ in range(3):
        await processes.pop(0).stop()
    await shares(3)
    await processes[0].stop()
    await databases.close()


async def test_a_relay_stops_if_it_is_woken_while_it_is_stopped(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    for steps in range(4):
        relay = Relay(Installation(settings, catalog, databases), CONTEXT, "one", FairShare([CONTEXT]))
        running = asyncio.create_task(relay.run())

        async def owns(relay: Relay = relay) -> bool:
            return relay.is_owner

        await eventually(owns)
        await asyncio.sleep(0.4)  # it waits to be woken
        relay._appended.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        assert await asyncio.wait([running], timeout=5) == ({running}, set()), f"woken {steps} steps before"


async def test_a_former_owner_cannot_move_the_cursor(settings: Settings, databases: Databases, log: Log) -> None:
    zombie = Lease(Store.of_log(databases, settings.write_dsn, CONTEXT), "zombie", 0.2)
    heir = Lease(Store.of_log(databases, settings.write_dsn, CONTEXT), "heir", 5)
    assert await zombie.take() == 0
    assert await heir.take() is None
    await asyncio.sleep(0.3)

    assert await heir.take() == 0
    await heir.move(5)

    with pytest.raises(LeaseLost):
        await zombie.move(9)
    await zombie.release()
    assert await Lease(Store.of_log(databases, settings.write_dsn, CONTEXT), "third", 5).take() is None
    await heir.release()
    assert await Lease(Store.of_log(databases, settings.write_dsn, CONTEXT), "third", 5).take() == 5


async def test_a_relay_that_is_cancelled_while_it_leaves_a_log_leaves_no_client_open(
    settings: Settings, catalog: Catalog, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving, stopped = asyncio.Event(), list[object]()

    async def slow_stop(_: object) -> None:
        leaving.set()
        await asyncio.sleep(30)

    async def noted(client: Any) -> None:
        stopped.append(client)
        await stop_quietly(client)

    monkeypatch.setattr("streams.relay.relay._ReadAhead.stop", slow_stop)
    monkeypatch.setattr("streams.relay.relay.stop_quietly", noted)
    relay = Relay(Installation(settings, catalog, databases), CONTEXT, "one", FairShare([CONTEXT]))
    running = asyncio.create_task(relay.run())

    async def owns() -> bool:
        return relay.is_published

    await eventually(owns)
    running.cancel()
    await leaving.wait()
    running.cancel()
    await asyncio.wait([running], timeout=10)

    assert [type(client).__name__ for client in stopped] == ["AIOKafkaConsumer", "AIOKafkaProducer"]
