"""The projector: exactly-once effects, also if other workers write the same view, with locks and without."""

import asyncio
from random import Random

import pytest
from prometheus_client import REGISTRY

from command_api.composition import open_logs
from projectors.projector import Projector
from projectors.view_writer import ViewWriter
from schemas.catalog import Catalog
from schemas.data_ingestion.records import Records
from schemas.errors import Conflict
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.view_tables import table_of
from streams.installation import Installation
from streams.log.stored_events import StoredEvent, decode
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoint, Move
from streams.subscriptions.dead_letters import Parked
from streams.subscriptions.faults import Fault
from streams.subscriptions.subscriber import Batch
from tests.integration.deliveries import DELIVERIES, RECORDS, batches_of


def projector(settings: Settings, catalog: Catalog, databases: Databases) -> Projector:
    return Projector(Installation(settings, catalog, databases), RECORDS, open_logs(settings, catalog, databases))


async def complete(databases: Databases, settings: Settings) -> int:
    async with databases.connection(settings.write_dsn) as connection:
        sql = (
            "select count(*) from data_ingestion__ingestion__views.records where ingestion_status = 'ingested'"
            " and partner_id = 'p' and validation_status = 'valid' and processing_status = 'processed'"
        )
        return int(await connection.fetchval(sql))


async def test_several_workers_on_one_view_never_revert_each_other(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[StoredEvent]]
) -> None:
    workers = [projector(settings, catalog, databases) for _ in range(4)]
    by_partition: dict[tuple[ContextName, int], list[Batch]] = {}
    for batch in batches_of(logs, 3):
        by_partition.setdefault((batch.context, batch.partition), []).append(batch)

    async def work(n: int, batches: list[Batch]) -> None:
        for batch in batches:
            await workers[n % 4].handle([batch])

    await asyncio.gather(*(work(n, batches) for n, batches in enumerate(by_partition.values())))

    assert await complete(databases, settings) == DELIVERIES


async def test_order_repeats_and_gaps_make_no_difference(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[StoredEvent]]
) -> None:
    worker, random = projector(settings, catalog, databases), Random(7)
    chaos = batches_of(logs, 4) * 2
    random.shuffle(chaos)
    newest = batches_of(logs, 10_000)  # so that nothing is missing at the end

    for batch in [*(s for s in chaos if random.random() < 0.7), *newest]:
        await worker.handle([batch])

    assert await complete(databases, settings) == DELIVERIES
    for context, rows in logs.items():
        for partition in range(4):
            last = max((row.position for row in rows if row.partition == partition), default=0)
            assert await worker.position(context, partition) == last


async def test_workers_on_the_same_batches_apply_them_once(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[StoredEvent]]
) -> None:
    batches = batches_of(logs, 10_000)

    before = _delays()
    await asyncio.gather(*(projector(settings, catalog, databases).handle(batches) for _ in range(3)))

    assert await complete(databases, settings) == DELIVERIES
    assert 0 < _delays() - before < 3 * len(batches), "only the worker that applies a batch measures its delay"


async def test_batches_that_follow_the_remembered_checkpoint_are_committed_without_locks(
    settings: Settings,
    catalog: Catalog,
    databases: Databases,
    logs: dict[ContextName, list[StoredEvent]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    locked: list[object] = []
    worker, apply = projector(settings, catalog, databases), ViewWriter.apply

    async def watched(self: ViewWriter, *arguments: object) -> None:
        locked.append(arguments)
        await apply(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ViewWriter, "apply", watched)
    batches = batches_of(logs, 3)
    partitions = {(batch.context, batch.partition) for batch in batches}
    for batch in batches:
        await worker.handle([batch])

    assert await complete(databases, settings) == DELIVERIES
    assert len(locked) == len(partitions) < len(batches)  # the first of each alone


async def test_workers_that_take_turns_on_a_partition_skip_what_is_applied(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[StoredEvent]]
) -> None:
    one, other = (projector(settings, catalog, databases) for _ in range(2))

    for batch in batches_of(logs, 2):
        await one.handle([batch])
        await other.handle([batch])
        await other.handle([batch])

    assert await complete(databases, settings) == DELIVERIES


async def test_of_two_commits_that_read_the_same_row_one_changes_it(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[StoredEvent]]
) -> None:
    await projector(settings, catalog, databases).handle(batches_of(logs, 10_000))
    context, name = ContextName("data_ingestion", "processing"), "data_ingestion.records"
    writer = ViewWriter(RECORDS, table_of(ContextName("data_ingestion", "ingestion"), Records))
    event = decode(next(row for row in logs[context] if row.type == "DataProcessed"), context, catalog)
    checkpoints = projector(settings, catalog, databases).store.checkpoints
    positions = (await checkpoints.all())[context]
    partitions = sorted(positions)[:2]

    async def commit(partition: int) -> bool:
        before = positions[partition]
        async with databases.connection(settings.write_dsn) as connection:
            try:
                await writer.commit(connection, name, [Move(context, partition, Checkpoint(before, 0), before + 1)], [event])
            except Conflict:
                return False
        positions[partition] += 1
        return True

    done = [await asyncio.gather(*(commit(partition) for partition in partitions)) for _ in range(30)]

    assert (await checkpoints.all())[context] == positions, "a checkpoint moves exactly if its rows were written"
    assert all(any(both) for both in done), "one of them succeeds"
    assert not all(all(both) for both in done), "they collided"


@pytest.mark.parametrize("obstacle", ["pause", "dead letter", "another position", "other rows"])
async def test_a_commit_without_locks_fails_if_anything_has_changed(
    obstacle: str, settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[StoredEvent]]
) -> None:
    worker = projector(settings, catalog, databases)
    await worker.handle(batches_of(logs, 10_000))
    (context, *_), name = sorted(logs), "data_ingestion.records"
    partition, before = next(iter((await worker.store.checkpoints.all())[context].items()))
    writer = ViewWriter(RECORDS, table_of(ContextName("data_ingestion", "ingestion"), Records))
    generation = 0
    if obstacle == "pause":
        await worker.store.checkpoints.pause()
    elif obstacle == "dead letter":
        async with worker.store.transaction() as connection:
            await worker.store.dead_letters.park(
                connection, [Parked.of_event(context, logs[context][0], Fault.of(LookupError("why")))]
            )
    elif obstacle == "another position":
        before -= 1
    else:
        generation = 7

    async with databases.connection(settings.write_dsn) as connection:
        with pytest.raises(Conflict):
            await writer.commit(connection, name, [Move(context, partition, Checkpoint(before, generation), before + 1)], [])


def _delays() -> float:
    return REGISTRY.get_sample_value("caudal_projection_delay_seconds_count", {"projection": RECORDS.full_name}) or 0
