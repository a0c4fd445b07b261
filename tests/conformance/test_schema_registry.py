"""The integration topics with a real schema registry: Apicurio, by its API that is compatible with Confluent's.

It runs with `--broker kafka`, beside a real Kafka: both come from Maven.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deploy.local.ports import LOOPBACK, free_ports, listens
from deploy.local.process import run_to_end
from schemas.errors import Malformed, Misconfigured, Unavailable
from schemas.integration import Record
from streams.integration_topics.avro import encode, enveloped, schema_of
from streams.integration_topics.registry import RegisteredSchema, RemoteRegistry
from streams.settings import Settings
from tests.conftest import eventually

ARTIFACT = "io.apicurio:apicurio-registry-app:3.0.9:tar.gz:all"  # later ones need Java 21
RECORD = Record("EventoDePrueba", {"n": "long"}, service="pruebas")
ID = UUID(int=7)
AT = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
async def url(kind: str, folder: Path) -> AsyncIterator[str]:
    """The address of a registry that keeps its schemas in memory."""
    if kind != "kafka":
        pytest.skip("A REAL SCHEMA REGISTRY NEEDS `--broker kafka`: it was not tried")
    home = folder / "apicurio"
    home.mkdir()
    await run_to_end("mvn", "-B", "-q", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={home}")
    (archive,) = home.glob("*.tar.gz")
    await run_to_end("tar", "xzf", str(archive), "-C", str(home))
    (jar,) = home.glob("*-runner.jar")
    (port,) = free_ports(1)
    options = ("-Xmx400m", f"-Dquarkus.http.host={LOOPBACK}", f"-Dquarkus.http.port={port}")
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec("java", *options, "-jar", str(jar), stdout=log, stderr=log)
    try:

        async def is_open() -> bool:
            assert process.returncode is None, (home / "log").read_text()
            return listens(port)

        await eventually(is_open, 90, "the registry")
        yield f"http://{LOOPBACK}:{port}/apis/ccompat/v7"
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def registry(url: str) -> AsyncIterator[RemoteRegistry]:
    made = RemoteRegistry(Settings(schema_registry_url=url))
    yield made
    await made.close()


async def registered(registry: RemoteRegistry, subject: str, record: Record) -> RegisteredSchema:
    return await registry.register(subject, schema_of(record))


async def test_a_schema_is_registered_once_and_may_get_fields(registry: RemoteRegistry) -> None:
    first, again = [await registered(registry, "growing-value", RECORD) for _ in range(2)]
    more = await registered(registry, "growing-value", replace(RECORD, fields={"n": "long", "text": "string"}))

    assert first == again
    assert (first.version, more.version) == (1, 2)
    assert await registry.definition(first.id) == schema_of(RECORD)


async def test_a_schema_that_readers_of_older_records_cannot_use_is_rejected(registry: RemoteRegistry) -> None:
    await registered(registry, "fixed-value", RECORD)

    with pytest.raises(Misconfigured, match="its readers cannot read older records"):
        await registered(registry, "fixed-value", replace(RECORD, fields={"n": "string"}))


async def test_an_unknown_id_is_malformed(registry: RemoteRegistry) -> None:
    with pytest.raises(Malformed):
        await registry.definition(999_999)


async def test_confluents_deserializer_reads_what_was_written_by_its_schema(registry: RemoteRegistry, url: str) -> None:
    schema = await registered(registry, "read-value", RECORD)
    values = enveloped(RECORD, {"n": 7}, ID, AT)
    value = encode(schema.definition, schema.id, values)

    def read() -> Any:
        with SchemaRegistryClient({"url": url}) as client:
            return AvroDeserializer(client)(value, SerializationContext("read", MessageField.VALUE))

    assert await asyncio.to_thread(read) == values


async def test_a_registry_that_is_out_of_reach_is_unavailable() -> None:
    (port,) = free_ports(1)
    registry = RemoteRegistry(Settings(schema_registry_url=f"http://{LOOPBACK}:{port}"))
    try:
        with pytest.raises(Unavailable, match="the schema registry is out of reach"):
            await registered(registry, "x-value", RECORD)
        with pytest.raises(Unavailable):
            await registry.definition(1)
    finally:
        await registry.close()
