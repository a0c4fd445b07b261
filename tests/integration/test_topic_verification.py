"""`caudal verify topics`: names each position of a topic that is missing, altered, reordered or extra, and fills it in."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.expected_version import NO_STREAM
from schemas.system import ContextName
from streams.broker.clients import started_producer
from streams.broker.provisioning import ensure_topics
from streams.broker.publishing import publish
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrity.topic_verification import TopicVerification, VerifiedTopic
from streams.log.appending import AppendablePostgresLog
from streams.log.reading import Append, Write
from streams.log.search import SearchableLog
from streams.log.stored_events import StoredEvent, encode
from streams.relay.backfill import Backfill
from streams.settings import Settings
from tests.stack import caudal

CONTEXT = ContextName("data_ingestion", "ingestion")
EVENTS = 60


class Bench:
    """A log of sixty events in one topic's partitions, and a topic that the test fills."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, producer: AIOKafkaProducer) -> None:
        self.settings, self.catalog, self.producer = settings, catalog, producer
        self.topic = Topics(settings, catalog).events(CONTEXT)
        self.log = SearchableLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT)
        self.rows: list[StoredEvent] = []

    async def publish(self, *rows: StoredEvent) -> None:
        await publish(self.producer, self.topic, CONTEXT, rows)

    async def verify(self) -> VerifiedTopic:
        return await TopicVerification(self.settings, self.catalog, self.log).run(EVENTS, lambda done, total: None)

    def first_in(self, partition: int) -> list[StoredEvent]:
        return [row for row in self.rows if row.partition == partition]


@pytest.fixture
async def bench(settings: Settings, catalog: Catalog) -> AsyncIterator[Bench]:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT, 4)
    for n in range(EVENTS):
        id = uuid4()
        event = encode(DataIngested(data_id=id, partner_id="p", payload={"text": "ñ\u2028", "n": n}))
        metadata = Metadata(command_id=id, correlation_id="c")
        await log.append([Append(id, b"", metadata, (Write(f"d-{id}", NO_STREAM, (event,)),))])
    await ensure_topics(settings, catalog)
    producer = await started_producer(settings)
    made = Bench(settings, catalog, databases, producer)
    made.rows = list(await log.read(0, 1000))
    yield made
    await producer.stop()
    await log.drain()
    await databases.close()


async def test_a_topic_that_equals_its_log_has_no_findings(bench: Bench) -> None:
    await bench.publish(*bench.rows)

    verified = await bench.verify()

    assert (verified.events, verified.records, verified.found) == (EVENTS, EVENTS, 0)


async def test_repeated_events_are_counted_and_harmless(bench: Bench) -> None:
    await bench.publish(*bench.rows[:40])
    await bench.publish(*bench.rows[20:])

    verified = await bench.verify()

    assert (verified.events, verified.repeated, verified.found) == (EVENTS, 20, 0)


async def test_missing_events_are_named_in_the_middle_and_at_the_end(bench: Bench) -> None:
    await bench.publish(*(row for row in bench.rows if row.position not in (17, 18, 60)))

    verified = await bench.verify()

    assert [(finding.position, finding.kind) for finding in verified.findings] == [
        (17, "missing"), (18, "missing"), (60, "missing"),
    ]  # fmt: skip
    assert verified.events == EVENTS - 3


async def test_events_that_are_not_relayed_yet_are_not_missing(bench: Bench) -> None:
    await bench.publish(*bench.rows[:30])

    verified = await TopicVerification(bench.settings, bench.catalog, bench.log).run(30, lambda done, total: None)

    assert (verified.events, verified.found) == (30, 0)


async def test_altered_events_are_named(bench: Bench) -> None:
    rows = list(bench.rows)
    rows[9] = rows[9]._replace(data=b"{}")
    rows[19] = rows[19]._replace(stream="another")
    rows[29] = rows[29]._replace(metadata=orjson.dumps({"command_id": str(uuid4()), "correlation_id": "c"}))
    await bench.publish(*rows)

    verified = await bench.verify()

    assert [(finding.position, finding.kind) for finding in verified.findings] == [
        (10, "altered"), (20, "altered"), (30, "altered"),
    ]  # fmt: skip


async def test_an_altered_repeat_is_named(bench: Bench) -> None:
    await bench.publish(*bench.rows)
    await bench.publish(bench.rows[4]._replace(data=b"{}"))

    assert [(finding.position, finding.kind) for finding in (await bench.verify()).findings] == [(5, "altered")]


async def test_reordered_events_are_named(bench: Bench) -> None:
    late = bench.first_in(2)[3]
    await bench.publish(*(row for row in bench.rows if row is not late))
    await bench.publish(late)

    verified = await bench.verify()

    assert [(finding.position, finding.kind) for finding in verified.findings] == [(late.position, "reordered")]
    assert verified.events == EVENTS


async def test_events_that_the_log_does_not_have_are_named(bench: Bench) -> None:
    moved = bench.first_in(1)[2]
    await bench.publish(*bench.rows)
    await bench.publish(moved._replace(partition=3))

    verified = await bench.verify()

    assert [(finding.position, finding.partition, finding.kind) for finding in verified.findings] == [
        (moved.position, 3, "extra")
    ]


async def test_an_event_of_another_partition_between_those_of_one_is_extra(bench: Bench) -> None:
    rows: list[StoredEvent] = []
    for row in bench.rows:
        rows.append(row)
        if row.position == 30:
            other = next(r for r in bench.rows if r.position > 30 and r.partition != row.partition)
            rows.append(other._replace(partition=row.partition))
    await bench.publish(*rows)

    verified = await bench.verify()

    assert [finding.kind for finding in verified.findings] == ["extra"]
    assert verified.events == EVENTS


async def test_invented_events_are_named_and_hide_nothing(bench: Bench) -> None:
    own = bench.first_in(2)
    made_up = [own[0]._replace(position=10**9, previous=own[0].position), own[-1]._replace(position=10**9 + 1)]
    await bench.publish(own[0], made_up[0], *(row for row in bench.rows if row is not own[0]), made_up[1])

    verified = await bench.verify()

    assert [(finding.position, finding.kind) for finding in verified.findings] == [(10**9, "extra"), (10**9 + 1, "extra")]
    assert verified.events == EVENTS


async def test_events_that_were_published_since_the_cursor_was_read_are_no_findings(bench: Bench) -> None:
    await bench.publish(*bench.rows)

    verified = await TopicVerification(bench.settings, bench.catalog, bench.log).run(40, lambda done, total: None)

    assert (verified.events, verified.records, verified.found) == (40, EVENTS, 0)


async def test_a_lost_beginning_is_missing_even_behind_a_foreign_record(bench: Bench) -> None:
    lost = bench.first_in(2)[:5]
    await bench.producer.send_and_wait(bench.topic, b"garbage", b"key", partition=2)
    await bench.publish(*(row for row in bench.rows if row not in lost))

    verified = await bench.verify()

    assert [(finding.position, finding.kind) for finding in verified.findings] == [(row.position, "missing") for row in lost]
    assert verified.expired == 0


@pytest.mark.parametrize("hours", [24, -1])
async def test_events_that_retention_has_removed_are_expired_and_without_retention_they_are_missing(
    bench: Bench, hours: int
) -> None:
    bench.settings = bench.settings.model_copy(update={"events_retention_hours": hours})
    await bench.publish(*bench.rows)
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.settings.brokers)
    await admin.start()
    counts = {2: len(bench.first_in(2)), 3: 4}
    await admin.delete_records({TopicPartition(bench.topic, p): RecordsToDelete(count) for p, count in counts.items()})
    await admin.close()

    verified = await bench.verify()

    gone = counts[2] + 4
    assert (verified.expired, verified.events, verified.found) == (
        (0, EVENTS - gone, gone) if hours < 0 else (gone, EVENTS - gone, 0)
    )


async def test_foreign_records_are_counted_and_skipped(bench: Bench) -> None:
    await bench.producer.send_and_wait(bench.topic, b"garbage", b"key", partition=0)
    await bench.publish(*bench.rows)
    await bench.producer.send_and_wait(bench.topic, None, b"key", partition=1, headers=[("ce_position", b"x")])

    verified = await bench.verify()

    assert (verified.foreign, verified.events, verified.found) == (2, EVENTS, 0)


async def test_a_missing_topic_lacks_every_event_and_is_not_created_by_the_verification(bench: Bench) -> None:
    elsewhere = bench.settings.model_copy(update={"topic_prefix": f"test{uuid4().hex[:12]}"})

    verified = await TopicVerification(elsewhere, bench.catalog, bench.log).run(EVENTS, lambda done, total: None)

    assert verified.found == EVENTS


async def test_a_backfill_repairs_missing_altered_and_late_events(bench: Bench) -> None:
    lost = [bench.first_in(partition)[1] for partition in (0, 1)]  # not the last ones: those would still come in order
    altered = bench.first_in(2)[1]
    rows = [row for row in bench.rows if row not in lost]
    await bench.publish(*(row._replace(data=b"{}") if row is altered else row for row in rows))
    assert (await bench.verify()).found == 3

    wrong = [finding.position for finding in (await bench.verify()).findings]
    assert await Backfill(bench.settings, bench.catalog, bench.log).positions(wrong) == 3

    verified = await bench.verify()
    assert (verified.found, verified.backfilled, verified.events) == (0, 3, EVENTS)


async def test_a_part_of_the_log_is_published_again_by_command(bench: Bench, tmp_path: Path) -> None:
    await bench.publish(*(row for row in bench.rows if not 20 <= row.position <= 29))
    environment = {
        "CAUDAL_WRITE_DSN": bench.settings.write_dsn,
        "CAUDAL_BROKERS": bench.settings.brokers,
        "CAUDAL_TOPIC_PREFIX": bench.settings.topic_prefix,
    }
    arguments = ("relay", "backfill", "data_ingestion.ingestion", "--from", "18", "--to", "30", "--data-dir", str(tmp_path))

    code, said, err = await caudal(*arguments, environment=environment)
    assert (code, said.splitlines()[0]) == (
        0,
        "13 events of data_ingestion.ingestion will be published again, positions 18 to 30.",
    ), err
    assert (await bench.verify()).records == 50
    code, out, err = await caudal(*arguments, "--apply", environment=environment)

    assert (code, out.splitlines()[1]) == (0, "Done: 13 events, marked as backfilled."), err
    code, _, err = await caudal(*arguments[:4], "61", *arguments[7:], environment=environment)
    assert (code, "its log ends at 60" in err) == (1, True), err
    verified = await bench.verify()
    assert (verified.found, verified.events, verified.records) == (0, EVENTS, 50 + 13)


async def test_the_command_names_positions_repairs_them_and_exits_with_a_code(bench: Bench, tmp_path: Path) -> None:
    lost = bench.first_in(1)[1]
    await bench.publish(*(row for row in bench.rows if row is not lost))
    environment = {
        "CAUDAL_WRITE_DSN": bench.settings.write_dsn,
        "CAUDAL_BROKERS": bench.settings.brokers,
        "CAUDAL_TOPIC_PREFIX": bench.settings.topic_prefix,
    }
    databases = Databases(None, 1)
    async with databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("update data_ingestion__ingestion.relay set position = 60")
    await databases.close()
    options = ("data_ingestion.ingestion", "--data-dir", str(tmp_path))

    code, out, _ = await caudal("verify", "topics", *options, environment=environment)
    assert code == 1
    assert f"position {lost.position}" in out
    code, out, err = await caudal("verify", "topics", "--repair", "--json", *options, environment=environment)
    assert code == 0, err
    (report,) = orjson.loads(out)["answer"]
    assert (report["repaired"], report["facts"]["backfilled"]) == ("published 1 event again", 1)
    assert (await caudal("verify", "topics", *options, environment=environment))[0] == 0
