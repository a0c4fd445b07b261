"""Dead letters: events that cannot be applied are parked in order, and all others are applied."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from projectors.data_ingestion.records import record
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataIngested, DataReceived
from schemas.data_ingestion.processing import DataProcessed
from schemas.data_ingestion.records import Records
from schemas.data_ingestion.validation import DataValidated
from schemas.envelope import RecordedEvent
from schemas.errors import DeadLettersFull, Misconfigured
from streams.broker.cloudevents import encode_event
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoint, Move
from streams.subscriptions.dead_letter_topic import DeadLetterTopic
from streams.subscriptions.dead_letters import Parked
from streams.subscriptions.failure_isolation import FailureIsolation
from streams.subscriptions.faults import Fault
from streams.subscriptions.subscriber import Batch
from tests.integration.deliveries import DELIVERIES, batches_of
from tests.integration.spoilt import INGESTION, PROCESSING, VALIDATION, Bench, Logs, put_back


@pytest.fixture
def bench(settings: Settings, catalog: Catalog, databases: Databases) -> Bench:
    return Bench(settings, catalog, databases)


async def test_an_event_that_fails_is_parked_and_all_others_are_applied(bench: Bench, logs: Logs) -> None:
    first, second = logs[INGESTION][0], logs[INGESTION][1]
    assert first.stream == second.stream
    bench.spoil(DataReceived, first)

    await bench.projector().handle(batches_of(logs, 10_000))

    waiting = await bench.dead_letters()
    assert [(dead_letter.position, dead_letter.state, dead_letter.attempts) for dead_letter in waiting] == [
        (1, "retrying", 1),
        (2, "waiting", 0),
    ]
    assert waiting[0].error == "ZeroDivisionError: the projection is broken"
    assert 'raise ZeroDivisionError("the projection is broken")' in str(waiting[0].traceback)
    assert "tests/integration/spoilt.py" in str(waiting[0].traceback)
    assert waiting[1].traceback is None
    assert await bench.complete() == DELIVERIES - 1
    for context, rows in logs.items():
        for partition in range(4):
            last = max(row.position for row in rows if row.partition == partition)
            assert await bench.projector().position(context, partition) == last
    verified = await bench.verification().run(lambda done, total: None)
    assert (verified.found, verified.parked) == (0, 2)
    assert await bench.is_verified()


async def test_later_events_of_a_parked_stream_wait_behind_it(bench: Bench, logs: Logs) -> None:
    rows = logs[PROCESSING]
    stream = next(row.stream for row in rows if sum(other.stream == row.stream for other in rows) > 2)
    own = [row for row in rows if row.stream == stream]
    bench.spoil(DataProcessed, next(row for row in own if row.type == "DataProcessed"))
    projector = bench.projector()

    for row in [row for row in rows if row.partition == own[0].partition]:
        await projector.handle([Batch(PROCESSING, row.partition, [row])])

    parked = next(row for row in own if row.type == "DataProcessed").position
    expected = [row.position for row in own if row.position >= parked and row.type == "DataProcessed"]
    assert [dead_letter.position for dead_letter in await bench.dead_letters()] == expected


async def test_it_is_tried_again_with_growing_pauses_and_then_waits_for_an_operator(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    await projector.retry()  # not due yet
    assert [dead_letter.attempts for dead_letter in await bench.dead_letters()] == [1, 0]

    states = []
    for _ in range(3):
        await bench.make_due()
        await projector.retry()
        states += [(dead_letter.state, dead_letter.attempts) for dead_letter in await bench.dead_letters()][:1]

    assert states == [("retrying", 2), ("parked", 3), ("parked", 3)]


async def test_once_the_projection_is_repaired_everything_is_applied_in_order(bench: Bench, logs: Logs) -> None:
    for row in logs[INGESTION][:6:2]:
        bench.spoil(DataReceived, row)
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    assert len(await bench.dead_letters()) == 6

    bench.spoilt.clear()
    await bench.make_due()
    await projector.retry()

    assert await bench.dead_letters() == []
    assert await bench.complete() == DELIVERIES
    assert await bench.is_verified()


async def test_a_dead_letter_that_waits_behind_none_is_tried(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("delete from data_ingestion__ingestion__views.dead_letters where state = 'retrying'")

    await projector.retry()

    assert await bench.dead_letters() == []


async def test_an_event_whose_row_the_table_rejects_is_parked(bench: Bench, logs: Logs) -> None:
    def too_large(row: Records, event: RecordedEvent[Any]) -> Records:
        return record(row, event).replace(schema_revision=2**70)

    bench.spoil(DataValidated, logs[VALIDATION][7], too_large)

    await bench.projector().handle(batches_of(logs, 10_000))

    (dead_letter,) = await bench.dead_letters()
    assert dead_letter.position == logs[VALIDATION][7].position
    assert await bench.complete() == DELIVERIES - 1


async def test_an_event_that_no_code_can_read_is_parked(bench: Bench, logs: Logs) -> None:
    batches = batches_of(logs, 10_000)
    batches[0] = replace(batches[0], events=[batches[0].events[0]._replace(data=b"{}"), *batches[0].events[1:]])

    await bench.projector().handle(batches)

    dead_letters = await bench.dead_letters()
    assert "cannot be read by the installed code" in (dead_letters[0].error or "")
    assert {dead_letter.stream for dead_letter in dead_letters} == {batches[0].events[0].stream}


async def test_a_skipped_event_is_left_out_and_the_next_ones_are_applied(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))

    await projector.store.dead_letters.skip((await bench.dead_letters())[:1])
    await projector.retry()

    assert await bench.dead_letters() == []
    assert [dead_letter.state for dead_letter in await bench.dead_letters(with_resolved=True)] == ["skipped"]
    assert await bench.is_verified(), "a fresh application leaves it out, too"
    assert await bench.complete() == DELIVERIES - 1, "its partner and payload came with the event that was skipped"


async def test_an_edited_event_counts_with_its_new_data(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    dead_letter = (await bench.dead_letters())[0]
    data = {**orjson.loads(dead_letter.value or b""), "partner_id": "repaired"}

    await projector.store.dead_letters.edit(dead_letter, orjson.dumps(data).decode())
    bench.spoilt.clear()
    await projector.store.dead_letters.redrive([dead_letter])
    await projector.retry()

    assert [one.state for one in await bench.dead_letters(with_resolved=True)] == ["repaired"]
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        sql = "select count(*) from data_ingestion__ingestion__views.records where partner_id = 'repaired'"
        assert await connection.fetchval(sql) == 1
    assert await bench.is_verified()


async def test_of_many_processes_one_tries_a_dead_letter_and_a_clean_stop_gives_it_back(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    store = (projector := bench.projector()).store
    await projector.handle(batches_of(logs, 10_000))
    tries = 0

    async def apply(*_: Any) -> None:
        nonlocal tries
        tries += 1

    async def never(_: None) -> bool:
        await asyncio.Event().wait()
        return True

    async def first() -> tuple[str, int, bool]:
        one = (await bench.dead_letters())[0]
        assert one.due_at is not None
        return one.state, one.deaths, one.due_at > datetime.now(UTC)

    processes = [FailureIsolation(store, apply, is_finished=never) for _ in range(4)]
    await processes[0].retry()
    assert (tries, await first()) == (0, ("retrying", 0, True)), "it is not due yet"
    await bench.make_due()

    tasks = [asyncio.create_task(process.retry()) for process in processes]
    done, (waiting,) = await asyncio.wait(tasks, timeout=2)
    assert (tries, len(done), await first()) == (1, 3, ("retrying", 1, True))
    await store.dead_letters.extend_claim((await bench.dead_letters())[0], 2)  # of a process that has lost it
    waiting.cancel()
    await asyncio.wait([waiting])

    assert await first() == ("retrying", 0, False)
    bench.spoilt.clear()
    await projector.retry()
    assert await bench.dead_letters() == []


async def test_a_dead_letter_that_waits_for_none_is_claimed_too(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    store = (projector := bench.projector()).store
    await projector.handle(batches_of(logs, 10_000))
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("delete from data_ingestion__ingestion__views.dead_letters where state = 'retrying'")
    (waiting,) = await bench.dead_letters()

    async with store.transaction() as connection:
        claims = [await store.dead_letters.claim(connection, waiting, 1) for _ in range(2)]

    assert claims == [True, False]
    assert await store.dead_letters.due() == []


async def test_a_faulty_database_parks_nothing(bench: Bench, logs: Logs) -> None:
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("alter table data_ingestion__ingestion__views.records rename to elsewhere")

    with pytest.raises(Misconfigured):
        await bench.projector().handle(batches_of(logs, 10_000))

    assert await bench.dead_letters() == []
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("alter table data_ingestion__ingestion__views.elsewhere rename to records")
    await bench.projector().handle(batches_of(logs, 10_000))
    assert await bench.complete() == DELIVERIES


async def test_a_subscription_is_blocked_rather_than_park_everything(bench: Bench, logs: Logs) -> None:
    for row in logs[INGESTION]:
        bench.spoil(DataIngested if row.type == "DataIngested" else DataReceived, row)

    with pytest.raises(DeadLettersFull, match="0 dead letters"):
        await bench.projector(max_dead_letters=10).handle(batches_of(logs, 10_000))

    assert await bench.dead_letters() == []


async def test_dead_letters_are_on_their_topic_byte_for_byte_with_origin_and_error(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    topic = DeadLetterTopic(bench.settings, bench.catalog)

    assert await topic.publish(projector.store) == 2
    assert await topic.publish(projector.store) == 0

    row = logs[INGESTION][0]
    tp = TopicPartition(Topics(bench.settings, bench.catalog).dead_letters(INGESTION), row.partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=bench.settings.brokers, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([tp])
    await consumer.seek_to_beginning(tp)
    first, second = await consumer.getone(), await consumer.getone()
    original = encode_event(row, INGESTION)
    assert (first.key, first.value) == (original.key, original.value)
    assert list(first.headers)[: len(original.headers)] == original.headers
    headers = dict(first.headers)
    assert headers["dead_letter_origin"] == b"log@1"
    assert headers["dead_letter_error"] == b"ZeroDivisionError: the projection is broken"
    assert headers["dead_letter_subscription"] == b"data_ingestion.records"
    assert dict(second.headers)["dead_letter_error"] == b"waits behind another"
    await consumer.stop()
    await topic.close()


async def test_a_value_that_is_too_large_for_an_index_is_parked(bench: Bench, logs: Logs) -> None:
    def large(row: Records, event: RecordedEvent[Any]) -> Records:
        return record(row, event).replace(partner_id=random.Random(1).randbytes(9000).hex())

    bench.spoil(DataReceived, logs[INGESTION][0], large)

    await bench.projector().handle(batches_of(logs, 10_000))

    (first, *_) = await bench.dead_letters()
    assert first.error is not None
    assert "index row" in first.error
    assert await bench.is_verified()


async def test_a_repaired_event_stays_repaired_when_a_view_starts_again(bench: Bench, logs: Logs) -> None:
    projector = await bench.repaired(logs)
    assert await bench.is_verified()
    await put_back(projector)

    for batch in batches_of(logs, 7):
        await projector.handle([batch])

    assert await bench.complete() == DELIVERIES - 1
    assert await bench.is_verified()


async def test_a_worker_that_waited_for_another_sees_what_that_one_has_parked(bench: Bench, logs: Logs) -> None:
    first, second = logs[INGESTION][0], logs[INGESTION][1]
    bench.spoil(DataReceived, first)
    one, other = bench.projector(), bench.projector()
    async with one.store.transaction() as connection:
        await one.store.checkpoints.lock(connection, [(INGESTION, first.partition)])
    async with one.store.transaction() as connection:
        await one.store.checkpoints.lock(connection, [(INGESTION, first.partition)])
        taking = asyncio.create_task(other.handle([Batch(INGESTION, first.partition, [second])]))
        await asyncio.sleep(0.5)
        await one.store.dead_letters.park(connection, [Parked.of_event(INGESTION, first, Fault.of(LookupError("why")))])
        move = Move(INGESTION, first.partition, Checkpoint(0, 0), first.position)
        await one.store.checkpoints.move(connection, [move])
    await taking

    assert [(dead_letter.position, dead_letter.state) for dead_letter in await bench.dead_letters()] == [
        (1, "retrying"),
        (2, "waiting"),
    ]


async def test_after_parking_an_event_the_next_one_is_applied_with_locks(bench: Bench, logs: Logs) -> None:
    first = logs[INGESTION][0]
    bench.spoil(DataReceived, first)
    projector = bench.projector()

    await projector.handle([Batch(INGESTION, first.partition, [first])])
    assert projector._checkpoints == {}
    await projector.store.dead_letters.skip(await bench.dead_letters())
    await projector.handle(
        [Batch(INGESTION, first.partition, [row for row in logs[INGESTION] if row.partition == first.partition])]
    )
    assert projector._checkpoints != {}


async def test_a_foreign_record_does_not_slow_its_context_down(bench: Bench, logs: Logs) -> None:
    projector = bench.projector(max_dead_letters=1)
    records = [SimpleNamespace(topic="t", partition=0, offset=n, key=b"k", value=b"v", headers=()) for n in range(3)]
    async with projector.store.transaction() as connection:
        foreign = [Parked.of_record(INGESTION, record, ValueError("foreign")) for record in records]
        await projector.store.dead_letters.park(connection, foreign)

    for batch in batches_of(logs, 3):
        await projector.handle([batch])

    assert len(projector._checkpoints) == 4 * len(logs)
    async with projector.store.transaction() as connection:
        assert await projector.store.dead_letters.count(connection) == 0


async def test_a_repaired_event_that_fails_after_a_reset_is_open_again(bench: Bench, logs: Logs) -> None:
    projector = await bench.repaired(logs)
    await put_back(projector)

    bench.spoil(DataReceived, logs[INGESTION][0])
    await projector.handle(batches_of(logs, 10_000))

    opened = await bench.dead_letters()
    assert [(one.position, one.state) for one in opened] == [(1, "retrying"), (2, "waiting")]
    assert "repaired" in opened[0].stored_event().data, "it keeps the data that an operator gave it"
    assert await bench.is_verified()
    bench.spoilt.clear()
    await bench.make_due()
    await projector.retry()
    assert await bench.dead_letters() == []
    assert await bench.is_verified()
