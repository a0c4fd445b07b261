"""A read with a token never shows less than the token, while its view is reset, replaced, rolled back and rebalanced.

The long form is ``TOKEN_READS=20000 pytest tests/integration/test_consistency_tokens.py -s --timeout 3000``, which logs the
numbers of reads.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

import orjson
import pytest
import structlog

from deploy.operations.subscriptions import control
from projectors.projector import Projector
from projectors.rebuild import Rebuild
from query_api.views.consistency import ConsistencyWaiter, Wait
from query_api.views.page_request import PageRequest
from query_api.views.reader import ViewReader
from schemas.catalog import Catalog
from schemas.consistency_token import ConsistencyToken
from schemas.data_ingestion.records import Records
from schemas.errors import NotYetSeen, Unavailable
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.installation import Installation
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoints
from streams.subscriptions.subscription import Subscription
from tests.conftest import eventually
from tests.integration.deliveries import RECORDS
from tests.integration.running import NAME, Running, started
from tests.operating import operate
from tests.verify import every_event

_log = structlog.get_logger()
INGESTION = ContextName("data_ingestion", "ingestion")
READERS = 8
ROUNDS = 3
READS = int(os.environ.get("TOKEN_READS", "100"))
"""Reads that each test makes at least."""


class Reads:
    """Readers of a view, each with a token; counts the reads that show less than it, and those that are rejected for now."""

    def __init__(self, running: Running, databases: Databases) -> None:
        store = Installation(running.settings, running.catalog, databases).view_store(INGESTION)
        self._running = running
        self._reader = ViewReader(store, INGESTION, Records)
        self._waiter = ConsistencyWaiter(Checkpoints(store, NAME), "records", 15)
        self.reads = self.rejected = 0
        self.stale: list[str] = []

    async def read(self, partition: int) -> None:
        rows = [row for row in await every_event(self._running.logs[INGESTION]) if row.partition == partition]
        wanted = {orjson.loads(row.data)["data_id"] for row in rows}
        token = ConsistencyToken(INGESTION, partition, rows[-1].position)
        try:
            page = await self._waiter.read(Wait((token,)), lambda: self._reader.page(PageRequest(limit=1000)))
        except (NotYetSeen, Unavailable):
            self.rejected += 1
            return
        self.reads += 1
        if missing := wanted - {str(row["data_id"]) for row in page.rows}:
            self.stale.append(f"{len(missing)} of {len(wanted)} rows are missing under {token}")

    async def go_on(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await asyncio.gather(*(self.read(partition) for partition in range(4)))


async def reset(running: Running, rebuild: Rebuild) -> None:
    to_the_beginning = control.Reset(subscription=NAME, to="beginning")
    await operate(control.RESET, to_the_beginning, running.settings)


async def switch(running: Running, rebuild: Rebuild) -> None:
    await rebuild.switch(await rebuild.view.begin(again=True))


async def roll_back(running: Running, rebuild: Rebuild) -> None:
    if (await rebuild.view.versions()).previous is None:
        await switch(running, rebuild)
    else:
        await rebuild.view.roll_back()


async def rebalance(running: Running, rebuild: Rebuild) -> None:
    """Another process joins the group, and leaves it."""
    settings = running.settings.model_copy(update={"instance": "other"})
    projector = Projector(running.installation, RECORDS, running.logs)
    other = Subscription(settings, running.catalog, "projectors", [projector], running.logs)
    joined = asyncio.create_task(other.run())

    async def is_member() -> bool:
        return other.why_not_ready() is None

    await eventually(is_member, 60, "the other process as a member")
    await running.add(3)
    joined.cancel()
    await asyncio.gather(joined, return_exceptions=True)


WHAT: Mapping[str, Callable[[Running, Rebuild], Awaitable[None]]] = {
    "reset": reset,
    "rebuild": switch,
    "rollback": roll_back,
    "rebalance": rebalance,
}


@pytest.mark.parametrize("what", WHAT)
async def test_a_token_is_kept(settings: Settings, catalog: Catalog, databases: Databases, what: str) -> None:
    async with started(settings, catalog, databases, stall_seconds=1) as running:
        await running.add(20)
        await running.shows(20)
        owner = Databases("caudal_owner", 4)
        rebuild = Rebuild(Installation(settings, catalog, owner), RECORDS)
        reads, end = Reads(running, databases), asyncio.Event()
        readers: Sequence[asyncio.Task[None]] = [asyncio.create_task(reads.go_on(end)) for _ in range(READERS)]
        rounds = 0
        while rounds < ROUNDS or reads.reads < READS:
            await running.add(3 if rounds < ROUNDS else 1)
            await WHAT[what](running, rebuild)
            await asyncio.sleep(1)
            rounds += 1
        end.set()
        await asyncio.gather(*readers)
        await owner.close()

    _log.info("reads made", during=what, rounds=rounds, reads=reads.reads, rejected=reads.rejected, stale=len(reads.stale))
    assert reads.stale == [], f"{len(reads.stale)} of {reads.reads} reads in {rounds} rounds"
