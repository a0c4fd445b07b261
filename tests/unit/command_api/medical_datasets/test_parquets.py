"""Parquet files: written before they are recorded, deleted by a rollback, failing on purpose where that is allowed."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from aggregates.medical_datasets.mapping import Parquet, parquet_key
from aggregates.medical_datasets.processing import SIMULATED
from command_api.handling.activities import ActivityContext
from command_api.medical_datasets.parquets import ACTIVITIES, FAILURE, delete, write
from schemas.medical_datasets.mapping import CreateParquet, FailMapping, MapPacket, RecordParquet, RollbackMapping
from streams.settings import Settings
from tests.unit.aggregates.medical_datasets.packets import ID, IMAGE, PACKET, TOKEN
from tests.unit.command_api.activity_context import context_of, sent

MAP = MapPacket(saga_id=ID, token=TOKEN, packet=PACKET, image=IMAGE)
FAILING = MAP.model_copy(update={"packet": PACKET.model_copy(update={"clinical_setting": f"UCI {FAILURE}"})})

NONE = Parquet()


def keeping(folder: Path | None, parquet: Parquet = NONE, failures: float = 0) -> ActivityContext:
    url = None if folder is None else folder.as_uri()
    return replace(context_of(parquet=parquet), settings=Settings(files_url=url, demo_failures=failures))


@pytest.mark.parametrize("command", [MAP, CreateParquet(token=TOKEN, packet=PACKET)])
async def test_a_file_is_written_once_and_deleted(tmp_path: Path, command: MapPacket | CreateParquet) -> None:
    for _ in range(2):
        outcome = await write(sent(command), keeping(tmp_path))

    assert isinstance(outcome, RecordParquet)
    content = (tmp_path / parquet_key(ID)).read_bytes()
    assert (outcome.file.bytes, outcome.file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert outcome.saga_id == (ID if isinstance(command, MapPacket) else None)

    await delete(sent(RollbackMapping(saga_id=ID)), keeping(tmp_path))
    assert (tmp_path / parquet_key(ID)).exists(), "none was recorded: it may be another attempt's"
    for _ in range(2):
        await delete(sent(RollbackMapping(saga_id=ID)), keeping(tmp_path, Parquet(status="mapped")))
    assert not (tmp_path / parquet_key(ID)).exists()


async def test_it_fails_on_purpose_only_where_failures_are_simulated(tmp_path: Path) -> None:
    assert isinstance(await write(sent(FAILING), keeping(tmp_path)), RecordParquet)
    outcome = await write(sent(FAILING), keeping(tmp_path, failures=0.01))
    assert isinstance(outcome, FailMapping) and outcome.reason == SIMULATED


async def test_without_a_place_or_the_package_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await write(sent(MAP), keeping(None))
    assert isinstance(outcome, FailMapping) and outcome.reason == "No hay dónde guardar archivos"
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "command_api.medical_datasets.parquet", raising=False)
    outcome = await write(sent(MAP), keeping(tmp_path))
    assert isinstance(outcome, FailMapping) and "extra parquet" in outcome.reason


def test_each_command_has_one_activity() -> None:
    assert [one.command for one in ACTIVITIES] == [CreateParquet, MapPacket, RollbackMapping]
