"""Integration topics: what other teams read follows from the log, at least once and with the same bytes."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from fastavro import parse_schema, schemaless_reader

from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataIngested, DataReceived
from schemas.envelope import RecordedEvent
from schemas.errors import Misconfigured
from schemas.integration import Content, OutgoingTopic, Record
from schemas.system import ContextName
from streams.broker.clients import started_producer
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.installation import Installation, integration_store
from streams.integration_topics.records import IntegrationRecords
from streams.integration_topics.registration import register
from streams.integration_topics.registry import OwnRegistry
from streams.integrity.compared_topic import ComparedTopic
from streams.integrity.integration_verification import IntegrationVerification
from streams.log.search import SearchableLog
from streams.relay.service import RelayService
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.at_work import at_work
from tests.integration.deliveries import received_validated_and_processed
from tests.integration.topic_records import records_of

CONTEXT = ContextName("data_ingestion", "ingestion")
RECEIVED = Record("DatoRecibido", {"data_id": "string", "partner_id": "string", "size": "long"}, service="ingesta")


def received(recorded: RecordedEvent[DataReceived]) -> Content:
    data = recorded.data
    return {"data_id": str(data.data_id), "partner_id": data.partner_id, "size": len(data.payload)}


def ingested(recorded: RecordedEvent[DataIngested]) -> Content:
    n = recorded.data.payload["n"]
    assert isinstance(n, int)
    return {"n": n} if n % 2 else None


def named(recorded: RecordedEvent[DataIngested]) -> Content:
    return f"ingerido {recorded.data.partner_id}"


OUTGOING = (
    OutgoingTopic("datos-recibidos", DataReceived, received, RECEIVED),
    OutgoingTopic("datos-impares", DataIngested, ingested),
    OutgoingTopic("textos", DataIngested, named),
)


def publishing(catalog: Catalog, *outgoing: OutgoingTopic) -> Catalog:
    """The same systems, of which one publishes something."""
    return Catalog.of(
        replace(system, outgoing=outgoing) if system.name == CONTEXT.system else replace(system, outgoing=())
        for system in catalog.systems.values()
    )


@pytest.fixture
def own(settings: Settings) -> Settings:
    return settings.model_copy(update={"integration_prefix": f"{settings.topic_prefix}."})


class Running:
    """A relay of a log whose events are published on integration topics."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self.settings, self.catalog, self.databases = settings, catalog, databases
        self.installation = Installation(settings, catalog, databases)
        self.log = SearchableLog(self.installation.log_store(CONTEXT), CONTEXT)
        self.registry = OwnRegistry(integration_store(settings, databases))

    async def add(self, deliveries: int) -> None:
        await received_validated_and_processed(self.settings, self.catalog, self.databases, deliveries)

    async def relayed(self) -> None:
        async def up_to_date() -> bool:
            state = await self.installation.log_store(CONTEXT).fetchrow("relay_state")
            assert state is not None
            return bool(state["position"] == (await self.log.head()).position)

        await eventually(up_to_date, 30, "the relay")

    async def records(self, topic: str) -> list[Any]:
        """All records of an integration topic, by partition."""
        return await records_of(self.settings, Topics(self.settings, self.catalog).integration(topic))

    async def verified(self, topic: str) -> ComparedTopic:
        store = integration_store(self.settings, self.databases)
        records = await IntegrationRecords.registered(CONTEXT, self.settings, self.catalog, store)
        name = Topics(self.settings, self.catalog).integration(topic)
        head = (await self.log.head()).position
        schemas = await self.registry.definitions()
        return await IntegrationVerification(self.settings, self.log, records, schemas, name).run(head)


@pytest.fixture
async def running(own: Settings, catalog: Catalog, databases: Databases) -> AsyncIterator[Running]:
    made = Running(own, publishing(catalog, *OUTGOING), databases)
    await register(own, made.catalog)
    async with at_work(RelayService(own, made.catalog).run()):
        yield made


async def test_what_follows_from_events_is_published_in_each_form(running: Running) -> None:
    await running.add(20)
    await running.relayed()

    (schema,) = [one for one in await running.registry.schemas() if one.subject.endswith("datos-recibidos-value")]
    records = await running.records("datos-recibidos")
    assert len(records) == 20
    for record in records:
        assert record.value[:5] == b"\0" + schema.id.to_bytes(4, "big")
        values: Any = schemaless_reader(io.BytesIO(record.value[5:]), parse_schema(orjson.loads(schema.definition)), None)
        headers = dict(record.headers)
        assert values["id"].encode() == headers["ce_id"]
        assert values["time"] == values["ingestion"] == record.timestamp
        fixed = {"specversion": "v1", "type": "DatoRecibido", "datacontenttype": "AVRO", "service_name": "ingesta"}
        assert {name: values[name] for name in fixed} == fixed
        assert values["data"]["partner_id"] == "p"
        assert record.key == f"delivery-{values['data']['data_id']}".encode()
        assert (headers["ce_type"], headers["content-type"]) == (b"DatoRecibido", b"application/avro")
    documents = sorted(orjson.loads(record.value)["n"] for record in await running.records("datos-impares"))
    assert documents == list(range(1, 20, 2))
    texts = await running.records("textos")
    assert {record.value for record in texts} == {b"ingerido p"}
    assert dict(texts[0].headers)["content-type"] == b"text/plain; charset=utf-8"
    for topic in ("datos-recibidos", "datos-impares", "textos"):
        assert (await running.verified(topic)).found == 0


async def test_a_reader_that_knows_the_data_alone_can_read_it(running: Running) -> None:
    await running.add(1)
    await running.relayed()
    (schema,) = [one for one in await running.registry.schemas() if one.subject.endswith("datos-recibidos-value")]
    payload = {
        "type": "record",
        "name": "DatoRecibidoPayload",
        "fields": [{"name": "data_id", "type": ["null", "string"], "default": None}],
    }
    reader = {
        "type": "record",
        "name": "DatoRecibido",
        "fields": [{"name": "data", "type": ["null", payload], "default": None}],
    }

    (record,) = await running.records("datos-recibidos")
    written = parse_schema(orjson.loads(schema.definition))
    values = schemaless_reader(io.BytesIO(record.value[5:]), written, parse_schema(reader))
    assert isinstance(values, dict)
    assert list(values) == ["data"]
    assert list(values["data"]) == ["data_id"]


async def test_what_is_missing_altered_or_too_much_is_found(running: Running) -> None:
    await running.add(20)
    await running.relayed()
    topic = Topics(running.settings, running.catalog).integration("datos-recibidos")
    records = await running.records("datos-recibidos")
    producer = await started_producer(running.settings, "test")
    try:
        one = records[0]
        common = {"key": one.key, "partition": one.partition, "headers": list(one.headers)}
        await producer.send_and_wait(topic, one.value, **common)
        assert (await running.verified("datos-recibidos")).repeated == 1
        await producer.send_and_wait(topic, one.value[:-1] + b"\x7f", **common)
        found = (await running.verified("datos-recibidos")).findings
        position = int(dict(one.headers)["ce_position"])
        assert [(finding.position, finding.kind) for finding in found] == [(position, "altered")]
    finally:
        await producer.stop()
    unpublished = Running(
        running.settings, publishing(running.catalog, replace(OUTGOING[0], topic="nowhere")), running.databases
    )
    await register(unpublished.settings, unpublished.catalog)
    await unpublished.add(3)
    missing = await unpublished.verified("nowhere")
    assert [finding.kind for finding in missing.findings] == ["missing"] * 3


async def test_what_cannot_be_made_holds_nothing_up_and_is_found(own: Settings, catalog: Catalog, databases: Databases) -> None:
    def wrong(recorded: RecordedEvent[DataReceived]) -> Content:
        return {"data_id": str(recorded.data.data_id), "size": "not a number" if recorded.data.payload["n"] == 3 else 1}

    made = Running(own, publishing(catalog, OutgoingTopic("datos", DataReceived, wrong, RECEIVED)), databases)
    await register(own, made.catalog)
    async with at_work(RelayService(own, made.catalog).run()):
        await made.add(6)
        await made.relayed()

    assert len(await made.records("datos")) == 5
    assert [finding.kind for finding in (await made.verified("datos")).findings] == ["not made"]


async def test_a_topic_begins_where_it_was_registered(own: Settings, catalog: Catalog, databases: Databases) -> None:
    made = Running(own, publishing(catalog, OUTGOING[0]), databases)
    await made.add(5)
    assert await register(own, made.catalog) == [f"integration topic {own.integration_prefix}datos-recibidos: DatoRecibido"]
    assert await register(own, made.catalog) == []
    async with at_work(RelayService(own, made.catalog).run()):
        await made.add(3)
        await made.relayed()

    assert len(await made.records("datos-recibidos")) == 3
    assert (await made.verified("datos-recibidos")).found == 0


async def test_a_log_is_not_relayed_before_its_topics_are_registered(
    own: Settings, catalog: Catalog, databases: Databases
) -> None:
    made = Running(own, publishing(catalog, OUTGOING[0]), databases)
    relay = RelayService(own.model_copy(update={"contexts": [str(CONTEXT)]}), made.catalog)
    async with at_work(relay.run()):

        async def says_why() -> bool:
            return "is not registered for DatoRecibido: run `caudal migrate`" in (await relay.why_not_ready() or "")

        await eventually(says_why, 20)
        await register(own, made.catalog)
        await made.add(2)
        await made.relayed()
    assert len(await made.records("datos-recibidos")) == 2


async def test_a_schema_may_get_fields_and_may_not_change_them(own: Settings, catalog: Catalog, databases: Databases) -> None:
    def declared(fields: dict[str, str]) -> Catalog:
        return publishing(catalog, OutgoingTopic("datos", DataReceived, received, replace(RECEIVED, fields=fields)))

    registry = OwnRegistry(integration_store(own, databases))

    async def versions() -> list[int]:
        return [one.version for one in await registry.schemas() if one.subject == f"{own.integration_prefix}datos-value"]

    await register(own, declared({"data_id": "string", "size": "long"}))
    await register(own, declared({"data_id": "string", "size": "long", "partner_id": "string"}))
    assert await versions() == [1, 2]
    with pytest.raises(Misconfigured, match=r"its readers cannot read older records"):
        await register(own, declared({"data_id": "long", "size": "long"}))
    assert await versions() == [1, 2]
    ids = [one.id for one in await registry.schemas()]
    assert len(ids) == len(set(ids))


async def test_a_relay_that_is_stopped_again_and_again_leaves_no_record_out(
    own: Settings, catalog: Catalog, databases: Databases
) -> None:
    made = Running(own, publishing(catalog, *OUTGOING), databases)
    await register(own, made.catalog)
    relay = own.model_copy(update={"relay_batch_events": 5, "contexts": [str(CONTEXT)]})
    adding = asyncio.create_task(made.add(200))
    for n in range(8):
        task = asyncio.create_task(RelayService(relay, made.catalog).run())
        await asyncio.sleep(0.3 + 0.1 * (n % 4))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await adding
    async with at_work(RelayService(relay, made.catalog).run()):
        await made.relayed()

    verified = await made.verified("datos-recibidos")
    assert (verified.found, verified.records - verified.repeated) == (0, 200)
    assert (await made.verified("datos-impares")).found == 0


async def test_registering_several_times_at_once_gives_each_schema_an_id_of_its_own(
    own: Settings, catalog: Catalog, databases: Databases
) -> None:
    many = [OutgoingTopic(f"datos-{n}", DataReceived, received, replace(RECEIVED, name=f"Dato{n}")) for n in range(8)]
    catalogs = [publishing(catalog, *some) for some in (many[:4], many[2:6], many[4:], many)]
    done = await asyncio.gather(*(register(own, one) for one in catalogs))

    assert sum(map(len, done)) == 8
    schemas = await OwnRegistry(integration_store(own, databases)).schemas()
    assert sorted(one.subject for one in schemas) == [f"{own.integration_prefix}datos-{n}-value" for n in range(8)]
    assert sorted(one.id for one in schemas) == list(range(1, 9))
