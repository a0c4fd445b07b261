"""The projector: exactly-once effects, whoever else works on the same view."""

import asyncio
from random import Random

from command_api.app import open_logs
from projectors.data_ingestion import PROJECTIONS
from projectors.projector import Projector
from schemas.catalog import Catalog, ContextName
from streams.postgres import Databases
from streams.rows import Row
from streams.settings import Settings
from streams.subscriber import Slice
from tests.integration.deliveries import DELIVERIES, slices_of


def projector(settings: Settings, catalog: Catalog, databases: Databases) -> Projector:
    readable = open_logs(settings, catalog, databases)
    return Projector(settings, catalog, "data_ingestion", PROJECTIONS[0], databases, readable)


async def complete(databases: Databases, settings: Settings) -> int:
    async with databases.connection(settings.write_dsn) as connection:
        sql = (
            "select count(*) from data_ingestion_ingestion_views.records where ingestion_status = 'ingested'"
            " and partner_id = 'p' and validation_status = 'valid' and processing_status = 'processed'"
        )
        return int(await connection.fetchval(sql))


async def test_several_workers_on_one_view_never_undo_each_other(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[Row]]
) -> None:
    workers = [projector(settings, catalog, databases) for _ in range(4)]
    by_partition: dict[tuple[ContextName, int], list[Slice]] = {}
    for slice in slices_of(logs, 3):
        by_partition.setdefault((slice.context, slice.partition), []).append(slice)

    async def work(n: int, slices: list[Slice]) -> None:
        for slice in slices:
            await workers[n % 4].take([slice])

    await asyncio.gather(*(work(n, slices) for n, slices in enumerate(by_partition.values())))

    assert await complete(databases, settings) == DELIVERIES


async def test_any_order_any_repeat_any_hole_comes_out_the_same(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[Row]]
) -> None:
    worker, random = projector(settings, catalog, databases), Random(7)
    chaos = slices_of(logs, 4) * 2
    random.shuffle(chaos)
    newest = slices_of(logs, 10_000)  # so that nothing is missing at the end

    for slice in [*(s for s in chaos if random.random() < 0.7), *newest]:
        await worker.take([slice])

    assert await complete(databases, settings) == DELIVERIES
    for context, rows in logs.items():
        for partition in range(4):
            last = max((row.position for row in rows if row.partition == partition), default=0)
            assert await worker.position(context, partition) == last


async def test_two_workers_on_the_same_slices_apply_them_once(
    settings: Settings, catalog: Catalog, databases: Databases, logs: dict[ContextName, list[Row]]
) -> None:
    slices = slices_of(logs, 10_000)

    await asyncio.gather(*(projector(settings, catalog, databases).take(slices) for _ in range(3)))

    assert await complete(databases, settings) == DELIVERIES
