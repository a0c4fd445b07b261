"""Dead letters in the hands of an operator: listed, edited, redriven, skipped."""

import asyncio

import orjson
import pytest

from deploy.operations.dead_letters.listing import LIST, SHOW, ListFilter, OneName
from deploy.operations.dead_letters.resolving import EDIT, REDRIVE, SKIP, Edit
from deploy.operations.dead_letters.selection import Filter
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataReceived
from schemas.errors import Invalid, NotFound, Rejected
from streams.database.pools import Databases
from streams.settings import Settings
from tests.integration.deliveries import batches_of
from tests.integration.spoilt import INGESTION, Bench, Logs
from tests.operating import operate, read, said

NAME = "data_ingestion.records/ingestion@1"


@pytest.fixture
def bench(settings: Settings, catalog: Catalog, databases: Databases) -> Bench:
    return Bench(settings, catalog, databases)


async def test_an_operator_lists_shows_repairs_and_retries(bench: Bench, logs: Logs) -> None:
    settings = Settings(write_dsn=bench.settings.write_dsn, brokers=bench.settings.brokers)
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector(dead_letter_attempts=1)
    await projector.handle(batches_of(logs, 10_000))

    listed = await read(LIST, ListFilter(subscription="data_ingestion.records"), settings)
    assert [(one.name, one.state) for one in listed.rows] == [
        (NAME, "retrying"), ("data_ingestion.records/ingestion@2", "waiting"),
    ]  # fmt: skip
    shown = await read(SHOW, OneName(name=NAME), settings)
    assert shown.headers["ce_position"] == "1"
    assert '    raise ZeroDivisionError("the projection is broken")' in (shown.traceback or ())
    with pytest.raises(NotFound, match="list` shows them"):
        await read(SHOW, OneName(name="data_ingestion.records/ingestion@77"), settings)
    with pytest.raises(Invalid, match="cannot be read"):
        await operate(EDIT, Edit(name=NAME, data="{}"), settings)
    whole = orjson.loads(logs[INGESTION][0].data)
    rounded = orjson.dumps({**whole, "payload": {"n": 0}}).decode().replace('"n":0', '"n":18446744073709551616')
    with pytest.raises(Invalid, match="the data cannot be stored: /payload/n is a number out of range"):
        await operate(EDIT, Edit(name=NAME, data=rounded), settings)
    other = Edit(name=NAME, data=orjson.dumps({**whole, "partner_id": "q"}).decode())
    await operate(EDIT, other, settings, apply=False)
    assert (await bench.dead_letters())[0].edited is None
    await operate(EDIT, other, settings)

    tried = await operate(REDRIVE, Filter(), settings, apply=False)
    assert (tried.state, tried.after) == ("planned", {"count": 2, "streams": 1})
    assert "2 dead letters of 1 stream will be processed again" in said(tried)
    assert len(await bench.dead_letters()) == 2
    bench.spoilt.clear()

    async def process() -> None:
        while await bench.dead_letters():
            await asyncio.sleep(0.1)
            await projector.retry()

    done, _ = await asyncio.gather(operate(REDRIVE, Filter(), settings), process())
    assert (done.state, done.after) == ("done", {"applied": 2, "open": 0})
    assert await bench.is_verified()


async def test_an_operator_skips_after_a_dry_run(bench: Bench, logs: Logs) -> None:
    settings = Settings(write_dsn=bench.settings.write_dsn, brokers=bench.settings.brokers)
    bench.spoil(DataReceived, logs[INGESTION][0])
    await bench.projector().handle(batches_of(logs, 10_000))
    chosen = Filter(stream=logs[INGESTION][0].stream)

    with pytest.raises(Rejected, match="say which dead letters"):
        await operate(SKIP, Filter(), settings)
    await operate(SKIP, chosen, settings, apply=False)
    assert len(await bench.dead_letters()) == 2
    await operate(SKIP, chosen, settings)

    assert await bench.dead_letters() == []
    assert await bench.is_verified()
    assert [one.state for one in (await read(LIST, ListFilter(resolved=True), settings)).rows] == ["skipped", "skipped"]
