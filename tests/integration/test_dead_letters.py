"""Dead letters: what cannot be applied is parked in order, all else flows, and an operator can mend, skip or try it again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from aggregates.data_ingestion.validation import POLICIES
from command_api.app import make_handler, open_logs
from command_api.handler import now
from command_api.policies import PolicyRunner
from command_api.worker import policy_stores
from deploy.dead_letters import desk
from projectors.data_ingestion import PROJECTIONS
from projectors.data_ingestion.records import validated
from projectors.projection import Fold, Projection
from projectors.projector import Projector
from projectors.view_verification import ViewVerification
from schemas.catalog import Catalog, ContextName
from schemas.data_ingestion.ingestion import DataIngested, DataReceived, ReceiveData
from schemas.data_ingestion.processing import DataProcessed
from schemas.data_ingestion.records import Record
from schemas.data_ingestion.validation import DataValidated
from schemas.envelope import Issued, Recorded
from schemas.errors import DeadLettersFull, Invalid, Misconfigured, NotFound
from streams.codec import encode_event
from streams.command_topics import CommandSender
from streams.dead_letter_topic import DeadLetterTopic
from streams.dead_letters import DeadLetter
from streams.log import PostgresLog
from streams.postgres import Databases
from streams.rows import Row
from streams.settings import Settings
from streams.subscriber import Slice
from streams.topics import Topics, ensure_topics
from tests.integration.deliveries import DELIVERIES, received_validated_and_processed, slices_of

INGESTION = ContextName("data_ingestion", "ingestion")
VALIDATION = ContextName("data_ingestion", "validation")
PROCESSING = ContextName("data_ingestion", "processing")
Logs = dict[ContextName, list[Row]]


@pytest.fixture
async def databases() -> AsyncIterator[Databases]:
    made = Databases(None, 6)
    yield made
    await made.close()


@pytest.fixture
async def logs(settings: Settings, catalog: Catalog, databases: Databases) -> Logs:
    return await received_validated_and_processed(settings, catalog, databases)


class Bench:
    """A projector whose folds can be spoilt and mended."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self.settings, self.catalog, self.databases = settings, catalog, databases
        self.logs = {context: PostgresLog(databases, settings.write_dsn, context) for context in catalog.contexts}
        self.spoilt: dict[str, Any] = {}
        """What the fold makes of an event of a partner's delivery, by the delivery's id."""

    def projector(self, **changes: Any) -> Projector:
        def may_fail(fold: Fold[Record]) -> Fold[Record]:
            def apply(row: Record | None, recorded: Recorded[Any]) -> Record | None:
                if (what := self.spoilt.get(f"{type(recorded.event).__name__} {recorded.event.data_id}")) is not None:
                    return what(row, recorded)  # type: ignore[no-any-return]
                return fold.apply(row, recorded)

            return Fold(fold.key, apply)

        folds = {event: may_fail(fold) for event, fold in PROJECTIONS[0].folds.items()}
        settings = self.settings.model_copy(update={"attempts": 3, **changes})
        return Projector(settings, self.catalog, "data_ingestion", Projection(Record, folds), self.databases, self.logs)

    def spoil(self, event: type, row: Row, what: Any = None) -> None:
        self.spoilt[f"{event.__name__} {orjson.loads(row.data)['data_id']}"] = what or broken

    async def letters(self, **options: bool) -> list[DeadLetter]:
        return list(await self.projector().store.letters.all(**options))

    async def complete(self) -> int:
        async with self.databases.connection(self.settings.write_dsn) as connection:
            sql = (
                "select count(*) from data_ingestion_ingestion_views.records where ingestion_status = 'ingested'"
                " and partner_id = 'p' and validation_status = 'valid' and processing_status = 'processed'"
            )
            return int(await connection.fetchval(sql))

    async def is_verified(self) -> bool:
        verification = ViewVerification(
            self.settings, self.catalog, "data_ingestion", PROJECTIONS[0], self.databases, self.logs
        )
        return (await verification.run(lambda done, total: None)).found == 0

    async def make_due(self) -> None:
        async with self.databases.connection(self.settings.write_dsn) as connection:
            await connection.execute("update data_ingestion_ingestion_views.dead_letters set due_at = now() - interval '1 s'")


def broken(row: Record | None, recorded: Recorded[Any]) -> Record:
    raise ZeroDivisionError("the fold is broken")


@pytest.fixture
def bench(settings: Settings, catalog: Catalog, databases: Databases) -> Bench:
    return Bench(settings, catalog, databases)


async def test_what_cannot_be_applied_is_parked_and_all_else_flows(bench: Bench, logs: Logs) -> None:
    first, second = logs[INGESTION][0], logs[INGESTION][1]
    assert first.stream == second.stream
    bench.spoil(DataReceived, first)

    await bench.projector().take(slices_of(logs, 10_000))

    waiting = await bench.letters()
    assert [(letter.position, letter.state, letter.attempts) for letter in waiting] == [(1, "retrying", 1), (2, "waiting", 0)]
    assert waiting[0].error == "ZeroDivisionError: the fold is broken"
    assert await bench.complete() == DELIVERIES - 1
    for context, rows in logs.items():
        for partition in range(4):
            last = max(row.position for row in rows if row.partition == partition)
            assert await bench.projector().position(context, partition) == last
    assert await bench.is_verified()


async def test_what_comes_later_of_a_parked_stream_waits_behind_it(bench: Bench, logs: Logs) -> None:
    rows = logs[PROCESSING]
    stream = next(row.stream for row in rows if sum(other.stream == row.stream for other in rows) > 2)
    own = [row for row in rows if row.stream == stream]
    bench.spoil(DataProcessed, next(row for row in own if row.type == "DataProcessed"))
    projector = bench.projector()

    for row in [row for row in rows if row.partition == own[0].partition]:
        await projector.take([Slice(PROCESSING, row.partition, [row])])

    parked = next(row for row in own if row.type == "DataProcessed").position
    expected = [row.position for row in own if row.position >= parked and row.type == "DataProcessed"]
    assert [letter.position for letter in await bench.letters()] == expected


async def test_it_is_tried_again_with_growing_pauses_and_then_waits_for_an_operator(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.take(slices_of(logs, 10_000))
    await projector.retry()  # not due yet
    assert [letter.attempts for letter in await bench.letters()] == [1, 0]

    states = []
    for _ in range(3):
        await bench.make_due()
        await projector.retry()
        states += [(letter.state, letter.attempts) for letter in await bench.letters()][:1]

    assert states == [("retrying", 2), ("parked", 3), ("parked", 3)]


async def test_once_the_fold_is_mended_everything_is_applied_in_order(bench: Bench, logs: Logs) -> None:
    for row in logs[INGESTION][:6:2]:
        bench.spoil(DataReceived, row)
    projector = bench.projector()
    await projector.take(slices_of(logs, 10_000))
    assert len(await bench.letters()) == 6

    bench.spoilt.clear()
    await bench.make_due()
    await projector.retry()

    assert await bench.letters() == []
    assert await bench.complete() == DELIVERIES
    assert await bench.is_verified()


async def test_what_waits_behind_nothing_is_tried(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.take(slices_of(logs, 10_000))
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("delete from data_ingestion_ingestion_views.dead_letters where state = 'retrying'")

    await projector.retry()

    assert await bench.letters() == []


async def test_what_the_table_does_not_take_is_parked_too(bench: Bench, logs: Logs) -> None:
    def too_large(row: Record | None, recorded: Recorded[Any]) -> Record:
        return validated(row, recorded).model_copy(update={"schema_revision": 2**70})

    bench.spoil(DataValidated, logs[VALIDATION][7], too_large)

    await bench.projector().take(slices_of(logs, 10_000))

    (letter,) = await bench.letters()
    assert letter.position == logs[VALIDATION][7].position
    assert await bench.complete() == DELIVERIES - 1


async def test_an_event_that_no_code_can_read_is_parked(bench: Bench, logs: Logs) -> None:
    slices = slices_of(logs, 10_000)
    slices[0] = replace(slices[0], rows=[replace(slices[0].rows[0], data=b"{}"), *slices[0].rows[1:]])

    await bench.projector().take(slices)

    letters = await bench.letters()
    assert "cannot be read by the installed code" in (letters[0].error or "")
    assert {letter.stream for letter in letters} == {slices[0].rows[0].stream}


async def test_what_is_skipped_stays_out_and_lets_the_others_go_on(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.take(slices_of(logs, 10_000))

    await projector.store.letters.skip((await bench.letters())[:1])
    await projector.retry()

    assert await bench.letters() == []
    assert [letter.state for letter in await bench.letters(decided=True)] == ["skipped"]
    assert await bench.is_verified(), "a fresh fold leaves it out, too"
    assert await bench.complete() == DELIVERIES - 1, "its partner and payload came with the event that was skipped"


async def test_what_is_mended_counts_as_it_was_mended(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.take(slices_of(logs, 10_000))
    letter = (await bench.letters())[0]
    data = {**orjson.loads(letter.value or b""), "partner_id": "mended"}

    await projector.store.letters.edit(letter, orjson.dumps(data).decode())
    bench.spoilt.clear()
    await projector.store.letters.redrive([letter])
    await projector.retry()

    assert [one.state for one in await bench.letters(decided=True)] == ["mended"]
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        sql = "select count(*) from data_ingestion_ingestion_views.records where partner_id = 'mended'"
        assert await connection.fetchval(sql) == 1
    assert await bench.is_verified()


async def test_a_database_that_is_not_as_it_should_be_parks_nothing(bench: Bench, logs: Logs) -> None:
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("alter table data_ingestion_ingestion_views.records rename to elsewhere")

    with pytest.raises(Misconfigured):
        await bench.projector().take(slices_of(logs, 10_000))

    assert await bench.letters() == []
    async with bench.databases.connection(bench.settings.write_dsn) as connection:
        await connection.execute("alter table data_ingestion_ingestion_views.elsewhere rename to records")
    await bench.projector().take(slices_of(logs, 10_000))
    assert await bench.complete() == DELIVERIES


async def test_a_subscription_stands_still_rather_than_park_everything(bench: Bench, logs: Logs) -> None:
    for row in logs[INGESTION]:
        bench.spoil(DataIngested if row.type == "DataIngested" else DataReceived, row)

    with pytest.raises(DeadLettersFull, match="0 dead letters"):
        await bench.projector(max_dead_letters=10).take(slices_of(logs, 10_000))

    assert await bench.letters() == []


async def test_dead_letters_are_on_their_topic_byte_for_byte_with_where_from_and_why(bench: Bench, logs: Logs) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.take(slices_of(logs, 10_000))
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
    told = dict(first.headers)
    assert told["dead_letter_origin"] == b"log@1"
    assert told["dead_letter_error"] == b"ZeroDivisionError: the fold is broken"
    assert told["dead_letter_subscription"] == b"data_ingestion.records"
    assert dict(second.headers)["dead_letter_error"] == b"waits behind another"
    await consumer.stop()
    await topic.close()


async def test_an_operator_lists_shows_mends_and_tries_again(
    bench: Bench, logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", bench.settings.write_dsn)
    settings, name = Settings(brokers=bench.settings.brokers), "data_ingestion.records/ingestion@1"
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector(attempts=1)
    await projector.take(slices_of(logs, 10_000))
    capsys.readouterr()

    await desk.list_letters(desk.Chosen(subscription="data_ingestion.records"), tmp_path, settings, as_json=True)
    listed = orjson.loads(capsys.readouterr().out)
    assert [(one["name"], one["state"]) for one in listed] == [
        (name, "retrying"), ("data_ingestion.records/ingestion@2", "waiting"),
    ]  # fmt: skip
    await desk.show_letter(name, tmp_path, settings)
    assert orjson.loads(capsys.readouterr().out)["headers"]["ce_sequence"] == "1"
    with pytest.raises(NotFound, match="list` shows them"):
        await desk.show_letter("data_ingestion.records/ingestion@77", tmp_path, settings)
    with pytest.raises(Invalid, match="cannot be read"):
        await desk.edit(name, b"{}", tmp_path, settings)
    await desk.edit(name, orjson.dumps({**orjson.loads(logs[INGESTION][0].data), "partner_id": "q"}), tmp_path, settings)

    assert await desk.redrive(desk.Chosen(), tmp_path, settings, apply=False) == 0
    assert "2 dead letters of 1 streams" in capsys.readouterr().out
    assert len(await bench.letters()) == 2
    bench.spoilt.clear()

    async def process() -> None:
        while await bench.letters():
            await asyncio.sleep(0.1)
            await projector.retry()

    code, _ = await asyncio.gather(desk.redrive(desk.Chosen(), tmp_path, settings, apply=True), process())
    assert code == 0
    assert "2 were dealt with, 0 are left" in capsys.readouterr().out
    assert await bench.is_verified()


async def test_an_operator_skips_after_a_dry_run(
    bench: Bench, logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", bench.settings.write_dsn)
    settings = Settings(brokers=bench.settings.brokers)
    bench.spoil(DataReceived, logs[INGESTION][0])
    await bench.projector().take(slices_of(logs, 10_000))
    chosen = desk.Chosen(stream=logs[INGESTION][0].stream)

    await desk.skip(chosen, tmp_path, settings, apply=False)
    assert len(await bench.letters()) == 2
    await desk.skip(chosen, tmp_path, settings, apply=True)

    assert await bench.letters() == []
    assert await bench.is_verified()
    await desk.list_letters(desk.Chosen(decided=True), tmp_path, settings, as_json=False)
    assert "2 dead letters: 2 skipped" in capsys.readouterr().out


async def test_a_policy_parks_what_it_cannot_react_to_and_sends_its_commands_once_it_can(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    logs = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, logs)
    for n in range(6):
        command = ReceiveData(partner_id="p", payload={"n": n})
        await handler.handle(Issued(command=command, id=uuid4(), at=now(), correlation_id="c"))
    rows = await logs[INGESTION].read(0, 100)
    victim, is_broken = next(row for row in rows if row.type == "DataIngested"), True

    def react(recorded: Recorded[Any], name: str) -> Any:
        if is_broken and recorded.position == victim.position:
            raise LookupError("no rule for it")
        return POLICIES[0].react(recorded, name)

    class Spoilt:
        name, reactions = POLICIES[0].name, POLICIES[0].reactions

        def react(self, recorded: Recorded[Any], name: str) -> Any:
            return react(recorded, name)

    async def handle(issued: Issued[Any]) -> None:
        await handler.handle(issued)

    await ensure_topics(settings, catalog)
    stores = policy_stores(settings, catalog, databases, "data_ingestion", POLICIES[0])
    sender = CommandSender(settings, catalog)
    runner = PolicyRunner(catalog, "data_ingestion", Spoilt(), logs, stores, sender, handle, 100)  # type: ignore[arg-type]
    for partition in range(4):
        await runner.take([Slice(INGESTION, partition, [row for row in rows if row.partition == partition])])

    letters = stores[INGESTION].letters
    assert [(letter.position, letter.error) for letter in await letters.all()] == [
        (victim.position, "LookupError: no rule for it")
    ]
    is_broken = False
    before = (await logs[VALIDATION].head()).position
    await letters.redrive(await letters.all())
    await runner.retry()

    assert await letters.all() == []
    assert (await logs[VALIDATION].head()).position == before + 1
    await sender.close()
    for log in logs.values():
        await log.settle()
