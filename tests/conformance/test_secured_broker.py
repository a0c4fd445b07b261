"""TLS, users and rights, on an Apache Kafka with an authority of its own: `make conformance BROKER=kafka-tls`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError
from pydantic import SecretStr
from structlog.testing import capture_logs

from command_api.clock import now
from deploy.local.supervisor import Supervised
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.data_ingestion.validation import ValidateData
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.broker.clients import ResilientProducer, new_admin, new_consumer, start, started_producer, stop_quietly
from streams.broker.faust_consumer import FaustConsumer, Fetched
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.sender import CommandSender
from streams.discovery import installed_catalog
from streams.settings import Settings
from tests.authority import Authority
from tests.conftest import eventually
from tests.secure_kafka import LIMITED, PASSWORD, SESSION_SECONDS, Operation, Resource, SecureKafka

INGESTION, VALIDATION = ContextName("data_ingestion", "ingestion"), ContextName("data_ingestion", "validation")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


@pytest.fixture(scope="module")
async def kafka(kind: str, folder: Path) -> AsyncIterator[SecureKafka]:
    if kind != "kafka-tls":
        pytest.skip("TLS AND USERS NEED `--broker kafka-tls`: they were not tested")
    broker = SecureKafka(folder / "secured", folder / "logs" / "secured.log")
    await broker.prepare()
    running = Supervised(broker.process())
    await running.start()
    yield broker
    await running.stop()


@pytest.fixture
def prefix() -> str:
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
def catalog() -> Catalog:
    return installed_catalog(["data_ingestion"])


async def sends_and_receives(settings: Settings) -> bool:
    topic = f"t-{uuid4().hex[:12]}"
    admin, producer = new_admin(settings), await started_producer(settings)
    await start(admin)
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await producer.send_and_wait(topic, b"x", b"k", partition=0)
    consumer = new_consumer(settings, "test", topic, auto_offset_reset="earliest")
    await start(consumer)
    async with asyncio.timeout(15):
        found = await consumer.getone()
    await stop_quietly(admin, producer, consumer)
    return bool(found.value == b"x")


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_every_client_authenticates_by_every_mechanism(kafka: SecureKafka, mechanism: str) -> None:
    assert await sends_and_receives(kafka.settings(mechanism))


async def test_every_client_authenticates_by_its_certificate(kafka: SecureKafka) -> None:
    assert await sends_and_receives(kafka.mutual_settings())


async def test_clients_connect_again_with_a_new_token_when_the_broker_ends_their_session(kafka: SecureKafka) -> None:
    settings, topic = kafka.settings("OAUTHBEARER"), f"t-{uuid4().hex[:12]}"
    admin, sender, clock = new_admin(settings), ResilientProducer(settings, "test"), asyncio.get_running_loop()
    await start(admin)
    await admin.create_topics([NewTopic(topic, 1, 1)])
    consumer = new_consumer(settings, "test", topic, auto_offset_reset="earliest")
    await start(consumer)
    found, sent, ends = list[bytes](), list[bytes](), clock.time() + 3 * SESSION_SECONDS

    while clock.time() < ends or len(found) < len(sent):
        if clock.time() < ends:
            sent.append(b"%d" % len(sent))
            async with sender.connected() as producer:
                await producer.send_and_wait(topic, sent[-1], b"k", partition=0)
        async with asyncio.timeout(15):
            found += [record.value for records in (await consumer.getmany(timeout_ms=300)).values() for record in records]

    assert found == sent
    assert len(sent) > SESSION_SECONDS
    await sender.close()
    await stop_quietly(admin, consumer)


@pytest.mark.parametrize("mechanism", [*MECHANISMS, None])
async def test_faust_authenticates_as_well(kafka: SecureKafka, mechanism: str | None, prefix: str) -> None:
    settings = kafka.mutual_settings() if mechanism is None else kafka.settings(mechanism)
    settings = settings.model_copy(update={"topic_prefix": prefix, "instance": "eu-1"})
    admin, producer = new_admin(settings), await started_producer(settings)
    await start(admin)
    await admin.create_topics([NewTopic(f"{prefix}.t", 2, 1)])
    values: list[bytes] = []

    async def deliver(fetched: Sequence[Fetched]) -> None:
        values.extend(record.value for part in fetched for record in part.records)

    consumer: Any = FaustConsumer(settings, "projectors", {f"{prefix}.t": 1}, deliver, lambda _, is_member: None)
    running = asyncio.create_task(consumer.run())
    await producer.send_and_wait(f"{prefix}.t", b"beyond the log", b"k", partition=1)
    await producer.send_and_wait(f"{prefix}.t", b"x", b"k", partition=0)

    async def arrived() -> bool:
        return values == [b"x"]

    await eventually(arrived, 30)
    assert not await consumer.is_left_behind()
    assert "caudal-projectors-eu-1" in str(await admin.describe_consumer_groups([f"{prefix}.projectors"]))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stop_quietly(admin, producer)


async def test_a_wrong_password_is_rejected_with_the_setting_to_check_and_is_shown_nowhere(
    kafka: SecureKafka, catalog: Catalog
) -> None:
    settings = kafka.settings().model_copy(update={"broker_password": SecretStr("s3cret wrong")})

    with pytest.raises(
        Unavailable, match=r"rejects the credentials .*: check CAUDAL_BROKER_USER and CAUDAL_BROKER_PASSWORD"
    ) as raised:
        await ensure_topics(settings, catalog)

    assert "s3cret" not in f"{raised.value!r} {raised.value.__cause__!r} {settings!r}"
    assert raised.value.public == "no broker answers", "clients of the APIs learn no more"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"broker_ca_file": None}, "CERTIFICATE_VERIFY_FAILED.*check CAUDAL_BROKER_CA_FILE"),
        ({"broker_sasl_mechanism": None}, "closes the connection: check CAUDAL_BROKER_PROTOCOL"),
        ({"broker_sasl_mechanism": None, "broker_ca_file": None}, "closes the connection: check CAUDAL_BROKER_PROTOCOL"),
    ],
)
async def test_wrong_settings_are_rejected_with_the_setting_to_check(
    kafka: SecureKafka, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(KafkaConnectionError, match=message):
        await started_producer(kafka.settings().model_copy(update=change))


async def test_another_authority_and_a_missing_certificate_are_rejected(kafka: SecureKafka, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")

    with pytest.raises(KafkaConnectionError, match="check CAUDAL_BROKER_CA_FILE"):
        await started_producer(kafka.settings().model_copy(update={"broker_ca_file": other.file}))
    with pytest.raises(KafkaConnectionError, match=r"CAUDAL_BROKER_CERTIFICATE_FILE|closes the connection"):
        await started_producer(kafka.mutual_settings().model_copy(update={"broker_certificate_file": None}))


async def test_a_certificate_for_another_host_is_rejected(kind: str, tmp_path: Path) -> None:
    if kind != "kafka-tls":
        pytest.skip("TLS AND USERS NEED `--broker kafka-tls`: they were not tested")
    broker = SecureKafka(tmp_path, tmp_path / "broker.log", valid_for="192.0.2.1")
    await broker.prepare()
    running = Supervised(broker.process())
    await running._spawn()
    try:

        async def is_rejected() -> bool:
            try:
                await started_producer(broker.settings())
            except KafkaConnectionError as error:
                return "IP address mismatch" in str(error) and "CAUDAL_BROKERS" in str(error)
            return False

        await eventually(is_rejected, 30)
    finally:
        await running.stop()


async def test_a_user_without_the_right_to_create_uses_what_exists_and_learns_what_is_missing(
    kafka: SecureKafka, catalog: Catalog, prefix: str
) -> None:
    whole = kafka.settings().model_copy(update={"topic_prefix": prefix})
    limited = kafka.settings(user=LIMITED).model_copy(update={"topic_prefix": prefix})
    await kafka.allow(Resource.TOPIC, prefix, Operation.READ, Operation.WRITE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)

    with pytest.raises(
        Unavailable, match=r"the topic .* is missing, and this user may not create it: create it with \d partitions"
    ):
        await ensure_topics(limited, catalog)
    await ensure_topics(whole, catalog, [INGESTION])
    with capture_logs() as logged:
        assert await ensure_topics(limited, catalog) == [INGESTION]

    assert f"the topic {prefix}.{VALIDATION}.events is missing" in str(logged)
    sender = CommandSender(limited, catalog)
    ingest, validate = ReceiveData(partner_id="p", payload={}), ValidateData(data_id=uuid4(), partner_id="p", payload={})
    wanted: list[Any] = [
        (context, CommandEnvelope(data=data, id=uuid4(), at=now(), correlation_id="c"), "key")
        for context, data in ((VALIDATION, validate), (INGESTION, ingest))
    ]
    with pytest.raises(Unavailable, match=f"do not exist: {VALIDATION}"):
        await sender.send(wanted)
    consumer = new_consumer(limited, "test", Topics(limited, catalog).commands(INGESTION), auto_offset_reset="earliest")
    await start(consumer)
    async with asyncio.timeout(15):
        assert b"partner_id" in (await consumer.getone()).value, "the other command was sent"
    await stop_quietly(consumer)
    await sender.close()


async def test_members_of_a_group_receive_from_the_topics_that_exist_and_find_the_others_when_they_are_created(
    kafka: SecureKafka, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("clients", "faust_consumer"):
        monkeypatch.setattr(f"streams.broker.{module}.METADATA_MS", 1000)
    settings = kafka.settings(user=LIMITED).model_copy(update={"topic_prefix": prefix})
    await kafka.allow(Resource.TOPIC, prefix, Operation.READ, Operation.WRITE, Operation.DESCRIBE)
    await kafka.allow(Resource.GROUP, prefix, Operation.READ, Operation.DESCRIBE)
    topics = {f"{prefix}.there": 1, f"{prefix}.missing": 1}
    admin, arrived = new_admin(kafka.settings()), list[tuple[str, str]]()
    await start(admin)
    await admin.create_topics([NewTopic(f"{prefix}.there", 1, 1)])

    async def deliver(fetched: Sequence[Fetched]) -> None:
        arrived.extend(("faust", part.topic) for part in fetched)

    member = new_consumer(settings, "commands", group_id=f"{prefix}.commands", auto_offset_reset="earliest")
    await start(member)
    member.subscribe(list(topics))

    async def poll() -> None:
        while True:
            arrived.extend(("commands", tp.topic) for tp in await member.getmany(timeout_ms=200))

    consumer = FaustConsumer(settings, "projectors", topics, deliver, lambda _, is_member: None)
    running = [asyncio.create_task(consumer.run()), asyncio.create_task(poll())]
    producer = await started_producer(settings)

    async def both_received() -> bool:
        return {("faust", topic), ("commands", topic)} <= set(arrived)

    for topic in topics:
        await admin.create_topics([NewTopic(topic, 1, 1)])
        await producer.send_and_wait(topic, b"x", b"k", partition=0)
        await eventually(both_received, 30, f"the delivery of {topic}")
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await stop_quietly(admin, producer, member)


async def test_a_configuration_that_this_user_may_not_change_is_logged_and_the_topic_is_used(
    kafka: SecureKafka, catalog: Catalog, prefix: str
) -> None:
    whole = kafka.settings().model_copy(update={"topic_prefix": prefix, "events_retention_hours": 1})
    limited = kafka.settings(user=LIMITED).model_copy(update={"topic_prefix": prefix})
    topic = Topics(whole, catalog).events(INGESTION)
    await kafka.allow(Resource.TOPIC, prefix, Operation.READ, Operation.WRITE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
    await ensure_topics(whole, catalog, [INGESTION])

    with capture_logs() as logged:
        assert await ensure_topics(limited, catalog, [INGESTION]) == [INGESTION]

    differing = [line for line in logged if line["event"] == "topic configured otherwise"]
    assert [(line["topic"], line["found"]) for line in differing] == [(topic, {"retention.ms": "3600000"})]
    assert [line["topic"] for line in logged if line["event"] == "topic not configured"] == [topic]

    own = {"min.cleanable.dirty.ratio": "0.25"}
    admin = new_admin(whole)
    await start(admin)
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "60000"} | own)])
    await ensure_topics(kafka.settings().model_copy(update={"topic_prefix": prefix}), catalog, [INGESTION])
    (described,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    found = {entry[0]: entry[1] for entry in described.resources[0][4]}
    await stop_quietly(admin)
    assert found["retention.ms"] == "-1"
    assert found.items() >= own.items(), "what is set besides stays"


def test_the_password_is_in_no_representation(kafka: SecureKafka) -> None:
    assert PASSWORD not in repr(kafka.settings())
