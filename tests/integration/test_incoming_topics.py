"""Incoming integration topics: what other teams send becomes commands; rubbish is parked and stops nothing."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from command_api.worker import Worker
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.integration import IncomingTopic, Record
from schemas.message import Command
from schemas.system import ContextName
from streams.broker.topic_names import Topics
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
from tests.integration.test_integration_topics import records_of
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

    async def send(self, topic: str, *values: bytes | None) -> None:
        for value in values:
            await self.producer.send_and_wait(self.topics.integration(topic), value, key=b"k")

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
    await running.send("entregas-json", *([orjson.dumps({"id": str(id), "socio": "a", "n": 1})] * 2), b'{"socio": "b", "n": 2}')

    await running.receives(("a", 1), ("b", 2))


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
