"""What an operator does with dead letters: looks at them, mends them, tries them again, skips them."""

import asyncio
from pathlib import Path

import orjson
import pytest

from deploy.operations.dead_letters import desk
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


async def test_an_operator_lists_shows_mends_and_tries_again(
    bench: Bench, logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", bench.settings.write_dsn)
    settings, name = Settings(brokers=bench.settings.brokers), "data_ingestion.records/ingestion@1"
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector(dead_letter_attempts=1)
    await projector.handle(batches_of(logs, 10_000))
    capsys.readouterr()

    await desk.list_dead_letter(desk.Chosen(subscription="data_ingestion.records"), tmp_path, settings, as_json=True)
    listed = orjson.loads(capsys.readouterr().out)
    assert [(one["name"], one["state"]) for one in listed] == [
        (name, "retrying"), ("data_ingestion.records/ingestion@2", "waiting"),
    ]  # fmt: skip
    await desk.show_dead_letter(name, tmp_path, settings)
    shown = orjson.loads(capsys.readouterr().out)
    assert shown["headers"]["ce_sequence"] == "1"
    assert '    raise ZeroDivisionError("the projection is broken")' in shown["traceback"]
    with pytest.raises(NotFound, match="list` shows them"):
        await desk.show_dead_letter("data_ingestion.records/ingestion@77", tmp_path, settings)
    with pytest.raises(Invalid, match="cannot be read"):
        await desk.edit(name, b"{}", tmp_path, settings)
    await desk.edit(name, orjson.dumps({**orjson.loads(logs[INGESTION][0].data), "partner_id": "q"}), tmp_path, settings)

    assert await desk.redrive(desk.Chosen(), tmp_path, settings, apply=False) == 0
    assert "2 dead letters of 1 stream." in capsys.readouterr().out
    assert len(await bench.dead_letters()) == 2
    bench.spoilt.clear()

    async def process() -> None:
        while await bench.dead_letters():
            await asyncio.sleep(0.1)
            await projector.retry()

    code, _ = await asyncio.gather(desk.redrive(desk.Chosen(), tmp_path, settings, apply=True), process())
    assert code == 0
    assert "Dealt with: 2. Left: 0." in capsys.readouterr().out
    assert await bench.is_verified()


async def test_an_operator_skips_after_a_dry_run(
    bench: Bench, logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", bench.settings.write_dsn)
    settings = Settings(brokers=bench.settings.brokers)
    bench.spoil(DataReceived, logs[INGESTION][0])
    await bench.projector().handle(batches_of(logs, 10_000))
    chosen = desk.Chosen(stream=logs[INGESTION][0].stream)

    with pytest.raises(Rejected, match="say which ones"):
        await desk.skip(desk.Chosen(), tmp_path, settings, apply=True)
    await desk.skip(chosen, tmp_path, settings, apply=False)
    assert len(await bench.dead_letters()) == 2
    await desk.skip(chosen, tmp_path, settings, apply=True)

    assert await bench.dead_letters() == []
    assert await bench.is_verified()
    await desk.list_dead_letter(desk.Chosen(decided=True), tmp_path, settings, as_json=False)
    assert "2 dead letters: 2 skipped" in capsys.readouterr().out
