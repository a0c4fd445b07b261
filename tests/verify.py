"""Checks a running stack from outside: the logs by themselves, the topics and the views against the logs."""

import hashlib
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from projectors.data_ingestion import PROJECTIONS
from schemas.catalog import Catalog, ContextName
from schemas.view import View
from streams.codec import decode_event, encode_event
from streams.log import PostgresLog
from streams.pacing import paced
from streams.partition import partition_of
from streams.postgres import Databases
from streams.rows import Row, decode
from streams.settings import Settings
from streams.topics import Topics
from tests.stack import RunningStack


async def verify(stack: RunningStack, *, topics: bool = True) -> dict[ContextName, list[Row]]:
    """Fails where anything is lost, doubled, reordered or altered; returns every row of every log."""
    catalog, settings = Catalog.installed(), Settings(write_dsn=stack.endpoints["postgres"], brokers=stack.endpoints["brokers"])
    databases = Databases(None, 2)
    try:
        logs = {
            context: list(await PostgresLog(databases, settings.write_dsn, context).read(0, 10_000_000))
            for context in catalog.contexts
        }
    finally:
        await databases.close()
    for context, rows in logs.items():
        check_log(rows, catalog.context(context).partitions)
        await check_chain(stack, context, rows)
        if topics:
            await check_topic(settings, Topics(settings, catalog).events(context), rows)
    await check_records(stack, catalog, logs)
    return logs


def check_log(rows: list[Row], partitions: int) -> None:
    """Positions and versions are dense, and each row names its predecessor in its partition."""
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    versions: dict[str, int] = {}
    newest = [0] * partitions
    for row in rows:
        assert row.version == versions.get(row.stream, 0) + 1, row
        assert row.partition == partition_of(row.stream, partitions), row
        assert row.previous == newest[row.partition], row
        versions[row.stream] = row.version
        newest[row.partition] = row.position


async def check_chain(stack: RunningStack, context: ContextName, rows: list[Row]) -> None:
    """Each hash covers its predecessor's, and the head has the last one."""
    schema = f"{context.system}_{context.context}"
    stored = await stack.fetch(f"select hash from {schema}.events order by position")
    digest = b""
    for row, found in zip(rows, stored, strict=True):
        stamp = round(row.recorded_at.timestamp() * 1_000_000)
        covered = (
            *(row.position, row.stream, row.version, row.id, row.type, row.schema_version, row.partition, row.previous),
            *(stamp, row.data, row.metadata),
        )
        content = hashlib.sha256("\n".join(map(str, covered)).encode()).digest()
        digest = hashlib.sha256(digest + content).digest()
        assert found["hash"] == digest, row
    (head,) = await stack.fetch(f"select position, hash from {schema}.head")
    assert (head["position"], head["hash"]) == (len(rows), digest)


async def check_topic(settings: Settings, topic: str, rows: list[Row]) -> None:
    """Every event is in the topic; leaving repeats out, each partition has its events once, in order and as recorded."""
    consumer = paced(AIOKafkaConsumer(bootstrap_servers=settings.brokers, enable_auto_commit=False))
    await consumer.start()
    try:
        for partition in {row.partition for row in rows}:
            tp = TopicPartition(topic, partition)
            consumer.assign([tp])
            await consumer.seek_to_beginning(tp)
            end = (await consumer.end_offsets([tp]))[tp]
            held: dict[int, Any] = {}
            while await consumer.position(tp) < end:
                for record in (await consumer.getmany(tp, timeout_ms=1000)).get(tp, []):
                    position = decode_event(record).position
                    assert position in held or position > max(held, default=0), (
                        f"{topic}/{partition}: {position} is out of order"
                    )
                    held.setdefault(position, record)
            wanted = [row for row in rows if row.partition == partition]
            assert sorted(held) == [row.position for row in wanted], f"{topic}/{partition}"
            context = ContextName(*topic.split(".")[1:3])
            for row in wanted:
                record, expected = held[row.position], encode_event(row, context)
                assert (record.key, record.value, dict(record.headers)) == (
                    expected.key, expected.value, dict(expected.headers),
                )  # fmt: skip
    finally:
        await consumer.stop()


async def check_records(stack: RunningStack, catalog: Catalog, logs: dict[ContextName, list[Row]]) -> None:
    """The view equals a fresh fold of the logs."""
    folds = PROJECTIONS[0].folds
    fresh: dict[Any, View | None] = {}
    for context, rows in logs.items():
        for row in rows:
            recorded = decode(row, context, catalog)
            if (fold := folds.get(type(recorded.event))) is not None:
                key = fold.key(recorded)
                fresh[key] = fold.apply(fresh.get(key), recorded)  # type: ignore[arg-type]
    columns = ", ".join(PROJECTIONS[0].view.model_fields)
    found = await stack.fetch(f"select {columns} from data_ingestion_ingestion_views.records")
    assert len(found) == len(fresh)
    for record in found:
        wanted = fresh[record["data_id"]]
        assert wanted is not None
        assert PROJECTIONS[0].view.model_validate(loaded(record)) == wanted, record["data_id"]


def loaded(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its JSON columns read."""
    json_columns = ("payload", "violations", "results")
    return {name: orjson.loads(value) if name in json_columns and value else value for name, value in row.items()}
