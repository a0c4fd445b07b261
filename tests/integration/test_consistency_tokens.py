"""A read with a token never shows less than the token, while its view is reset, replaced and rolled back."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from deploy.operations.subscriptions import control
from projectors.rebuild import Rebuild
from query_api.views.consistency import ConsistencyWaiter
from query_api.views.page_request import PageRequest
from query_api.views.reader import ViewReader
from schemas.catalog import Catalog
from schemas.consistency_token import ConsistencyToken
from schemas.data_ingestion.records import Records
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.installation import Installation
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoints
from tests.integration.deliveries import RECORDS
from tests.integration.running import NAME, Running, started

INGESTION = ContextName("data_ingestion", "ingestion")
READERS = 8


class Reads:
    """Readers of a view, each with a token; counts the reads that show less than it."""

    def __init__(self, running: Running, databases: Databases) -> None:
        store = Installation(running.settings, running.catalog, databases).view_store(INGESTION)
        self._running = running
        self._reader = ViewReader(store, INGESTION, Records)
        self._waiter = ConsistencyWaiter(Checkpoints(store, NAME), "records", 15)
        self.reads = 0
        self.stale: list[str] = []

    async def read(self, partition: int) -> None:
        rows = [row for row in await self._running.logs[INGESTION].read(0, 10_000) if row.partition == partition]
        wanted = {orjson.loads(row.data)["data_id"] for row in rows}
        token = ConsistencyToken(INGESTION, partition, rows[-1].position)
        page = await self._waiter.read(token, lambda: self._reader.page(PageRequest(limit=200)))
        self.reads += 1
        if missing := wanted - {str(row["data_id"]) for row in page.rows}:
            self.stale.append(f"{len(missing)} of {len(wanted)} rows are missing under {token}")

    async def go_on(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await asyncio.gather(*(self.read(partition) for partition in range(4)))


@pytest.mark.parametrize("what", ["reset", "rebuild", "rollback"])
async def test_a_token_is_kept(
    settings: Settings, catalog: Catalog, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    async with started(settings, catalog, databases, stall_seconds=1) as running:
        await running.add(20)
        await running.shows(20)
        rebuild = Rebuild(Installation(settings, catalog, Databases("caudal_owner", 4)), RECORDS)
        reads, end = Reads(running, databases), asyncio.Event()
        readers: Sequence[asyncio.Task[None]] = [asyncio.create_task(reads.go_on(end)) for _ in range(READERS)]
        for _ in range(3):
            await running.add(3)
            if what == "reset":
                reset = control.Reset(to="beginning", context=None, keep_rows=False, apply=True)
                await control.reset(NAME, reset, settings)
            elif what == "rebuild" or (await rebuild.view.versions()).previous is None:
                table = await rebuild.view.begin(again=True)
                await rebuild.switch(table)
            else:
                await rebuild.view.roll_back()
            await asyncio.sleep(1)
        end.set()
        await asyncio.gather(*readers)

    assert reads.stale == []
    assert reads.reads > 100
