"""Dead letters in the hands of an operator: listed, edited, redriven, skipped."""

import asyncio

import orjson
import pytest

from deploy.operations.dead_letters.listing import list_dead_letters, show_dead_letter
from deploy.operations.dead_letters.resolving import edit, redrive, skip
from deploy.operations.dead_letters.selection import Filter
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataReceived
from schemas.errors import Invalid, NotFound, Rejected
from streams.database.pools import Databases
from streams.settings import Settings
from tests.integration.deliveries import batches_of
from tests.integration.spoilt import INGESTION, Bench, Logs


@pytest.fixture
def bench(settings: Settings, catalog: Catalog, databases: Databases) -> Bench:
    return Bench(settings, catalog, databases)


async def test_an_operator_lists_shows_repairs_and_retries(
    bench: Bench, logs: Logs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", bench.settings.write_dsn)
    settings, name = Settings(brokers=bench.settings.brokers), "data_ingestion.records/ingestion@1"
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector(dead_letter_attempts=1)
    await projector.handle(batches_of(logs, 10_000))
    capsys.readouterr()

    await list_dead_letters(Filter(subscription="data_ingestion.records"), settings, as_json=True)
    listed = orjson.loads(capsys.readouterr().out)
    assert [(one["name"], one["state"]) for one in listed] == [
        (name, "retrying"), ("data_ingestion.records/ingestion@2", "waiting"),
    ]  # fmt: skip
    await show_dead_letter(name, settings)
    shown = orjson.loads(capsys.readouterr().out)
    assert shown["headers"]["ce_position"] == "1"
    assert '    raise ZeroDivisionError("the projection is broken")' in shown["traceback"]
    with pytest.raises(NotFound, match="list` shows them"):
        await show_dead_letter("data_ingestion.records/ingestion@77", settings)
    with pytest.raises(Invalid, match="cannot be read"):
        await edit(name, b"{}", settings, apply=True)
    whole = orjson.loads(logs[INGESTION][0].data)
    rounded = orjson.dumps({**whole, "payload": {"n": 0}}).replace(b'"n":0', b'"n":18446744073709551616')
    with pytest.raises(Invalid, match="the data cannot be stored: /payload/n is a number out of range"):
        await edit(name, rounded, settings, apply=True)
    other = orjson.dumps({**orjson.loads(logs[INGESTION][0].data), "partner_id": "q"})
    await edit(name, other, settings, apply=False)
    assert (await bench.dead_letters())[0].edited is None
    await edit(name, other, settings, apply=True)

    assert await redrive(Filter(), settings, apply=False) == 0
    assert "2 dead letters of 1 stream will be processed again" in capsys.readouterr().out
    assert len(await bench.dead_letters()) == 2
    bench.spoilt.clear()

    async def process() -> None:
        while await bench.dead_letters():
            await asyncio.sleep(0.1)
            await projector.retry()

    code, _ = await asyncio.gather(redrive(Filter(), settings, apply=True), process())
    assert code == 0
    assert "Applied 2, still open 0." in capsys.readouterr().out
    assert await bench.is_verified()


async def test_an_operator_skips_after_a_dry_run(
    bench: Bench, logs: Logs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", bench.settings.write_dsn)
    settings = Settings(brokers=bench.settings.brokers)
    bench.spoil(DataReceived, logs[INGESTION][0])
    await bench.projector().handle(batches_of(logs, 10_000))
    chosen = Filter(stream=logs[INGESTION][0].stream)

    with pytest.raises(Rejected, match="say which dead letters"):
        await skip(Filter(), settings, apply=True)
    await skip(chosen, settings, apply=False)
    assert len(await bench.dead_letters()) == 2
    await skip(chosen, settings, apply=True)

    assert await bench.dead_letters() == []
    assert await bench.is_verified()
    await list_dead_letters(Filter(resolved=True), settings, as_json=False)
    assert "2 dead letters: 2 skipped" in capsys.readouterr().out
