"""Commands by topic: handled once each, parked if they are not commands; policies that depend on receipts alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from aggregates.data_ingestion.validation import POLICIES
from aggregates.system import with_sagas
from command_api.clock import now
from command_api.composition import make_handler, open_logs
from command_api.handling.idempotency import command_id
from command_api.policies import delivery
from command_api.policies.runner import PolicyRunner
from command_api.policies.stores import policy_stores
from command_api.topic_worker import TopicWorker
from deploy.local.ports import free_ports
from schemas.catalog import Catalog
from schemas.clinical_lab.users import CreateUser
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.data_ingestion.validation import ValidateData
from schemas.envelope import CommandEnvelope
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.broker.clients import started_producer
from streams.broker.fetch_backoff import with_fetch_backoff
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.consumer import CommandConsumer
from streams.commands.notes import CommandNotes
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.discovery import declared_domains, installed_catalog
from streams.installation import Installation
from streams.settings import Settings
from streams.subscriptions.process_deaths.attempts import Attempt, Attempts
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.subscriber import Batch
from tests.conftest import eventually
from tests.integration.at_work import at_work
from tests.integration.workers import topic_worker

INGESTION = ContextName("data_ingestion", "ingestion")
VALIDATION = ContextName("data_ingestion", "validation")
POLICY = POLICIES[0].of("data_ingestion")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return installed_catalog(["data_ingestion", "clinical_lab"])


@pytest.fixture
async def databases() -> AsyncIterator[Databases]:
    made = Databases("caudal_writer", 6)
    yield made
    await made.close()


@pytest.fixture
async def running_worker(settings: Settings, catalog: Catalog, databases: Databases) -> AsyncIterator[TopicWorker]:
    made = topic_worker(settings, catalog, databases)
    async with at_work(made.run()):
        yield made


@pytest.fixture
async def sender(settings: Settings, catalog: Catalog) -> AsyncIterator[CommandSender]:
    made = CommandSender(settings, catalog)
    yield made
    await made.close()


def receive(n: int) -> CommandEnvelope[ReceiveData]:
    command = ReceiveData(partner_id="by-topic", payload={"n": n})
    return CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c")


async def test_a_command_that_comes_again_and_again_is_handled_once(
    settings: Settings, catalog: Catalog, databases: Databases, running_worker: TopicWorker, sender: CommandSender
) -> None:
    log = open_logs(settings, catalog, databases)[INGESTION]
    commands = [receive(n) for n in range(20)]
    for _ in range(3):
        await sender.send([(INGESTION, envelope, str(envelope.id)) for envelope in commands])

    async def handled() -> bool:
        return len(await log.answers([envelope.id for envelope in commands])) == 20

    await eventually(handled)
    await asyncio.sleep(0.5)
    assert (await log.head()).position == 40


async def test_a_key_means_the_same_by_topic_and_over_http(
    settings: Settings, catalog: Catalog, databases: Databases, running_worker: TopicWorker
) -> None:
    log, id = open_logs(settings, catalog, databases)[INGESTION], command_id(INGESTION, "a-key")
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers)
    await producer.start()
    for other in ("1", "1", "2"):
        headers = [
            ("ce_type", b"data_ingestion.receive-data"),
            ("ce_id", str(uuid4()).encode()),
            ("ce_idempotencykey", b"a-key"),
        ]
        body = f'{{"partner_id": "by-topic", "payload": {{"n": {other}}}}}'.encode()
        await producer.send_and_wait(Topics(settings, catalog).commands(INGESTION), body, b"key", headers=headers, partition=0)
    await producer.stop()

    async def handled() -> bool:
        return set(await log.answers([id])) == {id}

    await eventually(handled)
    await asyncio.sleep(0.5)
    assert [row.type for row in await log.read(0, 10)] == ["DataReceived", "DataIngested"]
    assert '"n":1' in str((await log.read(0, 1))[0].data)


async def test_a_context_whose_log_is_out_of_reach_is_named_and_delays_the_commands_of_no_other(
    settings: Settings, catalog: Catalog, databases: Databases, sender: CommandSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.commands.consumer._MAX_WAIT_SECONDS", 1.0)
    nobody = f"postgresql://caudal@127.0.0.1:{free_ports(1)[0]}/caudal"
    broken = settings.model_copy(update={"write_dsns": {str(VALIDATION): nobody}})
    log = open_logs(settings, catalog, databases)[INGESTION]
    worker = topic_worker(broken, catalog, databases)
    working = asyncio.create_task(worker.run())
    data = ValidateData(data_id=uuid4(), partner_id="by-topic", payload={})
    await sender.send([(VALIDATION, CommandEnvelope(data=data, id=uuid4(), at=now(), correlation_id="c"), "key")])

    async def waits() -> bool:
        return f"commands wait: {Topics(broken, catalog).commands(VALIDATION)}" == worker.why_not_ready()

    await eventually(waits, 30)
    for n in range(4):
        command = receive(n)
        await sender.send([(INGESTION, command, str(command.id))])

    async def handled() -> bool:
        return (await log.head()).position == 8

    await eventually(handled, 30)
    assert await waits()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_record_that_is_not_a_command_is_parked_byte_for_byte(
    settings: Settings, catalog: Catalog, databases: Databases, running_worker: TopicWorker, sender: CommandSender
) -> None:
    topics, log = Topics(settings, catalog), open_logs(settings, catalog, databases)[INGESTION]
    good = receive(1)
    await sender.send([(INGESTION, receive(0), "first")])
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers)
    await producer.start()
    poison: list[tuple[bytes, list[tuple[str, bytes]]]] = [
        (b"nonsense", []),
        (b"{}", [("ce_type", b"data_ingestion.receive-data"), ("ce_id", str(uuid4()).encode())]),
        (b"{}", [("ce_type", b"data_ingestion.nothing"), ("ce_id", str(uuid4()).encode())]),
        (
            b'{"partner_id": "a", "payload": {}}',
            [
                ("ce_type", b"data_ingestion.receive-data"),
                ("ce_id", str(uuid4()).encode()),
                ("ce_time", b"2026-11-27T02:42:30"),
            ],
        ),
    ]
    for value, headers in poison:
        await producer.send_and_wait(topics.commands(INGESTION), value, b"key", headers=headers, partition=0)
    await producer.stop()
    await sender.send([(INGESTION, good, "key")])

    async def handled() -> bool:
        return set(await log.answers([good.id])) == {good.id}

    await eventually(handled, what="the good command behind the poison")
    parked = await everything(settings, topics.dead_letters(INGESTION), len(poison))
    assert [(record.key, record.value) for record in parked] == [(b"key", value) for value, _ in poison]
    for record, (_, headers) in zip(parked, poison, strict=True):
        assert list(record.headers[: len(headers)]) == headers
        assert dict(record.headers)["dead_letter_origin"].startswith(topics.commands(INGESTION).encode())
        assert dict(record.headers)["dead_letter_error"]


async def test_a_command_with_a_secret_in_the_clear_is_rejected_and_not_kept(
    settings: Settings, catalog: Catalog, databases: Databases, running_worker: TopicWorker, sender: CommandSender
) -> None:
    users = ContextName("clinical_lab", "users")
    log, command = open_logs(settings, catalog, databases)[users], CreateUser(username="Ana", password="password2")
    envelope = CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c")
    await sender.send([(users, envelope, "key")])

    async def rejected() -> bool:
        rejection = (await log.answers([envelope.id])).get(envelope.id)
        return rejection is not None and "encrypted" in rejection.detail

    await eventually(rejected)
    (parked,) = await everything(settings, Topics(settings, catalog).dead_letters(users), 1)
    assert (parked.key, parked.value) == (b"key", None)
    assert not any(b"password2" in value for _, value in parked.headers)
    assert (await log.head()).position == 0


async def test_an_unreadable_record_that_may_hold_a_secret_is_not_kept(
    settings: Settings, catalog: Catalog, running_worker: TopicWorker
) -> None:
    users, topics = ContextName("clinical_lab", "users"), Topics(settings, catalog)
    producer = await started_producer(settings)
    kinds = (b"clinical_lab.create_user", b"rubbish", b"clinical_lab.create-user")
    for kind, id in zip(kinds, (str(uuid4()).encode(), str(uuid4()).encode(), b"no id"), strict=True):
        headers = [("ce_type", kind), ("ce_id", id)]
        await producer.send_and_wait(topics.commands(users), b'{"password": "password2"}', b"key", headers=headers, partition=0)
    await producer.stop()

    parked = await everything(settings, topics.dead_letters(users), 3)
    assert [record.value for record in parked] == [None] * 3


@pytest.mark.parametrize("size", ["nothing", "all"])
async def test_a_record_of_any_size_is_parked(settings: Settings, catalog: Catalog, size: str) -> None:
    value = None if size == "nothing" else bytes(settings.max_record_bytes - 100)
    topics, consumer = Topics(settings, catalog), CommandConsumer(settings, catalog, "worker")
    await ensure_topics(settings, catalog)
    origin = {"topic": topics.commands(INGESTION), "partition": 0, "offset": 7}
    record = SimpleNamespace(**origin, key=None, value=value, headers=())

    await consumer.park(record, ValueError("no command " * 1000))
    await consumer._producer.close()

    (parked,) = await everything(settings, topics.dead_letters(INGESTION), 1)
    assert (parked.key, parked.value) == (None, value or b"")


async def everything(settings: Settings, topic: str, count: int) -> list[Any]:
    consumer = with_fetch_backoff(AIOKafkaConsumer(bootstrap_servers=settings.brokers))
    await consumer.start()
    partitions = [TopicPartition(topic, partition) for partition in range(4)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
    found: list[Any] = []
    while len(found) < count:
        for records in (await asyncio.wait_for(consumer.getmany(timeout_ms=5000), 10)).values():
            found += records
    await consumer.stop()
    return sorted(found, key=lambda record: (record.partition, record.offset))


class LosingSender(CommandSender):
    """Loses all commands while ``loses`` is set, as a broker that is wiped does."""

    loses = True
    sent: int = 0

    async def send(self, commands: Sequence[tuple[ContextName, CommandEnvelope[Any], str]]) -> None:
        self.sent += len(commands)
        if not self.loses:
            await super().send(commands)


async def test_a_policys_checkpoint_waits_for_receipts_and_lost_commands_are_sent_again(
    settings: Settings, catalog: Catalog, databases: Databases, running_worker: TopicWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "OVERDUE_SECONDS", 1.0)
    logs = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, logs, databases, BoundedProcesses())
    handled_here: list[CommandEnvelope[Any]] = []

    async def handle(envelope: CommandEnvelope[Any]) -> None:
        handled_here.append(envelope)
        await handler.handle(envelope)

    for n in range(10):
        await handler.handle(receive(n))
    sender = LosingSender(settings, catalog)
    stores = policy_stores(Installation(settings, catalog, databases), POLICY)
    runner = PolicyRunner(catalog, POLICY, logs, stores, sender, handle, Turns())
    confirming = asyncio.create_task(runner.confirm())
    rows = await logs[INGESTION].read(0, 1000)
    for partition in range(4):
        await runner.handle([Batch(INGESTION, partition, [row for row in rows if row.partition == partition])])
    assert sender.sent == 10
    await asyncio.sleep(0.5)

    async def stored() -> list[int]:
        return [(await stores[INGESTION].checkpoints.read(INGESTION, partition)).position for partition in range(4)]

    assert await stored() == [0, 0, 0, 0]
    sender.loses = False

    async def caught_up() -> bool:
        return tuple(await stored()) == (await logs[INGESTION].head()).partitions

    await eventually(caught_up, what="the checkpoint at the head")
    assert not handled_here
    assert (await logs[VALIDATION].head()).position == 10

    # Another process that starts from the stored checkpoint has nothing left to send.
    again = PolicyRunner(catalog, POLICY, logs, stores, sender, handle, Turns())
    before = sender.sent
    for partition in range(4):
        await again.handle([Batch(INGESTION, partition, [row for row in rows if row.partition == partition])])
    assert sender.sent == before
    confirming.cancel()
    await sender.close()


async def test_commands_that_no_process_consumes_are_handled_by_the_policys_own_process(
    settings: Settings, catalog: Catalog, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "OVERDUE_SECONDS", 0.3)
    logs = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, logs, databases, BoundedProcesses())

    async def handle(envelope: CommandEnvelope[Any]) -> None:
        await handler.handle(envelope)

    for n in range(10):
        await handler.handle(receive(n))
    sender = LosingSender(settings, catalog)
    stores = policy_stores(Installation(settings, catalog, databases), POLICY)
    runner = PolicyRunner(catalog, POLICY, logs, stores, sender, handle, Turns())
    confirming = asyncio.create_task(runner.confirm())
    rows = await logs[INGESTION].read(0, 1000)
    for partition in range(4):
        await runner.handle([Batch(INGESTION, partition, [row for row in rows if row.partition == partition])])

    async def validated() -> bool:
        return (await logs[VALIDATION].head()).position == 10

    await eventually(validated)
    assert sender.sent == 20
    confirming.cancel()


async def test_a_command_with_side_effects_is_handled_only_by_the_process_of_its_partition(
    settings: Settings, catalog: Catalog, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "OVERDUE_SECONDS", 0.2)
    logs = open_logs(settings, catalog, databases)
    await make_handler(settings, catalog, logs, databases, BoundedProcesses()).handle(receive(1))
    sender = LosingSender(settings, catalog)
    stores = policy_stores(Installation(settings, catalog, databases), POLICY)
    handled_here: list[CommandEnvelope[Any]] = []

    async def handle(envelope: CommandEnvelope[Any]) -> None:
        handled_here.append(envelope)

    runner = PolicyRunner(catalog, POLICY, logs, stores, sender, handle, Turns(), lambda _: True)
    confirming = asyncio.create_task(runner.confirm())
    rows = await logs[INGESTION].read(0, 1000)
    for partition in range(4):
        await runner.handle([Batch(INGESTION, partition, [row for row in rows if row.partition == partition])])

    async def sent_again() -> bool:
        return sender.sent >= 3

    await eventually(sent_again)
    assert handled_here == []
    confirming.cancel()


def test_no_two_policies_have_the_same_name() -> None:
    catalog = installed_catalog()
    domains = with_sagas(declared_domains(catalog), catalog)
    names = [policy.full_name for domain in domains.values() for policy in domain.policies]
    assert len(names) == len(set(names))


async def test_attempts_outlast_the_process_that_made_them(settings: Settings, catalog: Catalog, databases: Databases) -> None:
    def attempts() -> Attempts:
        return CommandNotes.of_contexts(Installation(settings, catalog, databases), {})[INGESTION].attempts

    assert await attempts().newest(INGESTION, 2) is None
    await attempts().note({(INGESTION, 2): Attempt(17, 19, 1)})
    await attempts().note({(INGESTION, 2): Attempt(17, 19, 2), (INGESTION, 3): Attempt(4, 4, 1)})
    assert await attempts().newest(INGESTION, 2) == Attempt(17, 19, 2)
    await attempts().clear([(INGESTION, 2)])
    assert await attempts().newest(INGESTION, 2) is None
    assert await attempts().newest(INGESTION, 3) == Attempt(4, 4, 1)
