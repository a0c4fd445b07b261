"""Incoming integration topics: what other teams send becomes commands; rubbish is parked and stops nothing."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from command_api.worker import Worker
from deploy.operations.dead_letters.records import RecordFilter, list_records
from deploy.operations.installation import OpenInstallation
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.errors import NotFound
from schemas.integration import IncomingTopic, Record
from schemas.message import Command
from schemas.system import ContextName
from streams.broker.clients import ORIGIN_BYTES, new_admin, start, stop_quietly
from streams.broker.cloudevents import Headers
from streams.broker.topic_names import Topics
from streams.commands.parked_records import ParkedRecord, newest_parked
from streams.database.pools import Databases
from streams.installation import Installation, integration_store
from streams.integration_topics.avro import encode, enveloped, schema_of
from streams.integration_topics.registration import register
from streams.integration_topics.registry import OwnRegistry
from streams.log.reading import PostgresLog
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import PREFIX
from tests.conftest import eventually
from tests.integration.at_work import at_work
from tests.integration.topic_records import records_of
from tests.verify import every_event

CONTEXT = ContextName("data_ingestion", "ingestion")
DELIVERY = Record("ComandoEntregar", {"socio": "string", "n": "long"}, service="otro")


def deliver(data: Mapping[str, Any]) -> Command:
    return ReceiveData(partner_id=data["socio"], payload={"n": data["n"]})


def deliver_text(text: str) -> Command:
    partner, _, n = text.partition(" ")
    return ReceiveData(partner_id=partner, payload={"n": int(n)})


AT = datetime(2026, 11, 30, tzinfo=UTC)
INCOMING = (
    IncomingTopic("entregas", ReceiveData, deliver, DELIVERY),
    IncomingTopic("entregas-json", ReceiveData, deliver),
    IncomingTopic("entregas-texto", ReceiveData, deliver_text, is_text=True),
)


class Running:
    """A worker that takes what other teams send, and a producer that is not Caudal's."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, producer: AIOKafkaProducer) -> None:
        self.settings, self.catalog, self.producer = settings, catalog, producer
        self.topics = Topics(settings, catalog)
        self.log = PostgresLog(Installation(settings, catalog, databases).log_store(CONTEXT), CONTEXT)
        self.registry = OwnRegistry(integration_store(settings, databases))

    async def send(self, topic: str, *values: bytes | None, headers: Headers = (), key: bytes = b"k") -> None:
        for value in values:
            await self.producer.send_and_wait(self.topics.integration(topic), value, key=key, headers=list(headers))

    async def avro(self, fields: Mapping[str, Any], id: UUID | str) -> bytes:
        (schema,) = [one for one in await self.registry.schemas() if one.subject.endswith("entregas-value")]
        values = {**enveloped(DELIVERY, fields, uuid4(), AT), "id": str(id)}
        return encode(schema.definition, schema.id, values)

    async def received(self) -> list[tuple[str, Any]]:
        rows = [orjson.loads(row.data) for row in await every_event(self.log) if row.type == "DataReceived"]
        return sorted((row["partner_id"], row["payload"]["n"]) for row in rows)

    async def receives(self, *expected: tuple[str, Any]) -> None:
        async def there() -> bool:
            return await self.received() == sorted(expected)

        await eventually(there, 30, f"{expected}")

    async def parked(self, topic: str) -> list[Any]:
        return await records_of(self.settings, self.topics.integration_dead_letters(topic))


@pytest.fixture
async def running(settings: Settings, catalog: Catalog, databases: Databases) -> AsyncIterator[Running]:
    own = settings.model_copy(update={"integration_prefix": f"{settings.topic_prefix}."})
    taking = Catalog.of(
        replace(system, outgoing=(), incoming=INCOMING if system.name == CONTEXT.system else ())
        for system in catalog.systems.values()
    )
    await register(own, taking)
    producer = AIOKafkaProducer(bootstrap_servers=own.brokers)
    await producer.start()
    worker = Worker(own, taking)
    try:
        async with at_work(worker.run()):

            async def ready() -> bool:
                return await worker.why_not_ready() is None

            await eventually(ready, 30)
            yield Running(own, taking, databases, producer)
    finally:
        await producer.stop()


async def test_records_of_each_form_lead_to_their_events(running: Running) -> None:
    await running.send("entregas", await running.avro({"socio": "a", "n": 1}, uuid4()))
    await running.send("entregas-json", b'{"socio": "b", "n": 2}')
    await running.send("entregas-texto", b"c 3")

    await running.receives(("a", 1), ("b", 2), ("c", 3))


async def test_a_record_without_the_id_of_a_schema_is_read_by_the_topics_own(running: Running) -> None:
    whole = await running.avro({"socio": "a", "n": 1}, uuid4())
    await running.send("entregas", whole[5:])

    await running.receives(("a", 1))


async def test_a_writer_of_an_older_schema_is_read(running: Running) -> None:
    older = replace(DELIVERY, fields={"n": "long"})
    schema = await running.registry.register("older", schema_of(older))
    store = running.registry._store
    await store.execute("schema_register", "", schema.id, "older", 1, schema.definition)
    value = encode(schema.definition, schema.id, enveloped(older, {"n": 1}, uuid4(), AT))
    await running.send("entregas", value, await running.avro({"socio": "a", "n": 2}, uuid4()))

    await running.receives(("a", 2))
    (parked,) = await running.parked("entregas")  # a delivery needs a partner, and the older schema has none
    assert parked.value == value


async def test_a_record_that_comes_again_is_handled_once(running: Running) -> None:
    id = uuid4()
    await running.send("entregas", *([await running.avro({"socio": "a", "n": 1}, id)] * 3))
    for _ in range(2):
        await running.send("entregas-json", b'{"socio": "b", "n": 2}', headers=[("ce_id", b"one")])
    await running.send("entregas-json", b'{"socio": "c", "n": 3}', headers=[("ce_id", b"two")])

    await running.receives(("a", 1), ("b", 2), ("c", 3))


RUBBISH: tuple[tuple[str, bytes | None], ...] = (
    ("entregas", None),
    ("entregas", b""),
    ("entregas", b"\x00\x00\x00\xff\xffxyz"),
    ("entregas", b"\x00\x00"),
    ("entregas", b"\xff" * 100),
    ("entregas", b"\x02" * 100_000),
    ("entregas-json", b"{"),
    ("entregas-json", b"[]"),
    ("entregas-json", b"1"),
    ("entregas-json", b"[" * 100_000),
    ("entregas-json", b'{"socio": "a"}'),
    ("entregas-json", b'{"socio": 7, "n": 1}'),
    ("entregas-json", b'{"socio": "a", "n": NaN}'),
    ("entregas-texto", b"\xff\xfe"),
    ("entregas-texto", b"nothing"),
    ("entregas-texto", b"a " + b"9" * 10_000),
)


async def test_rubbish_is_parked_as_it_came_and_stops_nothing(running: Running) -> None:
    for topic, value in RUBBISH:
        await running.send(topic, value)
    await running.send("entregas", await running.avro({"socio": "a", "n": 1}, uuid4()))
    await running.send("entregas-json", b'{"socio": "b", "n": 2}')
    await running.send("entregas-texto", b"c 3")

    await running.receives(("a", 1), ("b", 2), ("c", 3))
    for topic in ("entregas", "entregas-json", "entregas-texto"):
        sent = [value for of_topic, value in RUBBISH if of_topic == topic]
        parked = await running.parked(topic)
        assert [record.value for record in parked] == sent
        assert all(dict(record.headers)[f"{PREFIX}error"] for record in parked)


class NotText(str):
    """The name of a header that is not UTF-8: another client may send it."""

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


class RawBatch:
    """A batch of one record that this client would not make."""

    def __init__(self, value: bytes) -> None:
        options = {"producer_id": -1, "producer_epoch": -1, "base_sequence": 0, "batch_size": 100_000}
        builder = _DefaultRecordBatchBuilderPy(magic=2, compression_type=0, is_transactional=0, **options)
        builder.append(0, 1, b"k", value, [(NotText("x"), b"1")])
        self._data = bytes(builder.build())

    def close(self) -> None:
        pass

    def closed(self) -> bool:
        return True

    def record_count(self) -> int:
        return 1

    def size(self) -> int:
        return len(self._data)

    def _build(self) -> bytes:
        return self._data

    def _set_producer_state(self, *_: Any) -> None:
        pass


async def test_a_batch_that_the_client_cannot_read_stops_nothing(running: Running) -> None:
    for topic in ("entregas-json", "entregas-texto"):
        for partition in range(4):
            batch: Any = RawBatch(b'{"socio": "lost", "n": 0}')
            await (await running.producer.send_batch(batch, running.topics.integration(topic), partition=partition))
    commands: Any = RawBatch(b"{}")
    await (await running.producer.send_batch(commands, running.topics.commands(CONTEXT), partition=0))
    for n in range(8):
        await running.send("entregas-json", orjson.dumps({"socio": "a", "n": n}), key=str(n).encode())
    await running.send("entregas-texto", b"b 2")

    await running.receives(*(("a", n) for n in range(8)), ("b", 2))


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_codec_is_read(running: Running, codec: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=running.settings.brokers, compression_type=codec)
    await producer.start()
    try:
        await producer.send_and_wait(running.topics.integration("entregas-texto"), b"a 1", key=b"k")
    finally:
        await producer.stop()

    await running.receives(("a", 1))


async def test_parked_records_are_listed_with_their_origin_and_error(
    running: Running,
) -> None:
    installation = OpenInstallation(running.settings)
    installation.catalog = running.catalog
    topic = running.topics.integration("entregas-texto")
    await running.send("entregas-texto", b"nothing", b"\x1b[2J", headers=[(f"{PREFIX}origin", b"forged/0@1")])
    await running.producer.send_and_wait(running.topics.commands(CONTEXT), b"rubbish", key=b"k")

    async def listed(topic: str | None = None, limit: int = 100) -> list[ParkedRecord]:
        return list(await newest_parked(running.settings, running.catalog, topic, limit))

    async def all_listed() -> bool:
        return len(await listed()) == 3

    await eventually(all_listed, 30, "the parked records")
    assert {one.beginning for one in await listed()} == {b"nothing", b"\x1b[2J", b"rubbish"}
    assert [one.beginning for one in await listed(topic, 1)] == [b"\x1b[2J"]
    assert {one.origin.rpartition("/")[0] for one in await listed(topic)} == {topic}
    shown = await list_records(installation, RecordFilter(topic=topic))
    assert {one.origin.rpartition("/")[0] for one in shown} == {topic}
    assert len(shown) == 2
    with pytest.raises(NotFound, match="no commands come on 'nowhere'"):
        await list_records(installation, RecordFilter(topic="nowhere"))


async def test_a_record_that_is_larger_than_any_dead_letter_is_parked_without_its_value(running: Running) -> None:
    admin = new_admin(running.settings)
    await start(admin)
    topic, size = running.topics.integration("entregas-texto"), running.settings.max_record_bytes + 2 * ORIGIN_BYTES
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(2 * size)})])
    await stop_quietly(admin)
    producer = AIOKafkaProducer(bootstrap_servers=running.settings.brokers, max_request_size=2 * size)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"x" * size, key=b"k")
    finally:
        await producer.stop()
    await running.send("entregas-texto", b"a 1")

    await running.receives(("a", 1))
    (parked,) = await running.parked("entregas-texto")
    assert (parked.key, parked.value) == (None, b"")
    assert b"bytes at most" in dict(parked.headers)[f"{PREFIX}error"]
