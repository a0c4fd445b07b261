"""Rebuilding a view while it is served: no query sees a half-built one, and there is a way back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from deploy.operations.projections.versions import DISCARD, OneView
from projectors.rebuild import Rebuild, total
from projectors.rebuild_progress import RebuildProgress
from schemas.catalog import Catalog
from schemas.data_ingestion.records import Records
from schemas.data_ingestion.validation import DataValidated
from schemas.envelope import RecordedEvent
from schemas.errors import NotFound, Rejected
from streams.database.pools import Databases
from streams.installation import Installation
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.deliveries import RECORDS
from tests.integration.running import NAME, Running, started
from tests.operating import operate
from tests.stack import caudal

VIEW = "data_ingestion__ingestion__views.records"


@pytest.fixture
async def running(settings: Settings, catalog: Catalog, databases: Databases) -> AsyncIterator[Running]:
    async with started(settings, catalog, databases) as found:
        await found.add(40)
        await found.shows(40)
        yield found


@pytest.fixture
async def rebuild(running: Running) -> AsyncIterator[Rebuild]:
    databases = Databases("caudal_owner", 4)
    yield Rebuild(Installation(running.settings, running.catalog, databases), RECORDS)
    await databases.close()


async def spoil(running: Running, rows: int) -> None:
    async with running.databases.connection(running.settings.write_dsn) as connection:
        sql = f"update {VIEW} set partner_id = 'spoilt' where data_id in (select data_id from {VIEW} limit $1)"
        await connection.execute(sql, rows)


async def spoilt(running: Running) -> int:
    async with running.databases.connection(running.settings.write_dsn) as connection:
        return int(await connection.fetchval(f"select count(*) from {VIEW} where partner_id = 'spoilt'"))


async def build(work: Rebuild, table: str) -> None:
    goal = await work.view.positions()
    await work.build(table, [(context, partition, up_to) for context, at in goal.items() for partition, up_to in at.items()])


async def test_a_view_is_rebuilt_while_it_is_served_and_grows(running: Running, rebuild: Rebuild) -> None:
    await spoil(running, 7)
    seen: list[int] = []

    async def query() -> None:
        while True:
            seen.append(await running.count())
            await asyncio.sleep(0.005)

    querying = asyncio.create_task(query())
    table = await rebuild.view.begin(again=False)
    await build(rebuild, table)
    adding = asyncio.create_task(running.add(40))
    await asyncio.sleep(0.1)
    found = await rebuild.switch(table)
    await adding
    await running.shows(80)
    querying.cancel()

    assert found is not None
    assert (found.rows, len(found.some)) == (7, 7)
    assert await spoilt(running) == 0
    assert await running.is_verified()
    assert seen == sorted(seen), "no query saw less than the one before it"
    assert running.gap_filled == 0


async def test_a_build_that_was_stopped_continues(running: Running, rebuild: Rebuild) -> None:
    table = await rebuild.view.begin(again=False)
    goal = await rebuild.view.positions()
    some = [
        (context, partition, up_to // 2) for context, at in goal.items() for partition, up_to in at.items() if partition < 2
    ]
    await rebuild.build(table, some)
    halfway = await rebuild.view.positions_of(table)

    assert await rebuild.view.begin(again=False) == table
    assert await rebuild.view.positions_of(table) == halfway
    await build(rebuild, table)
    assert await rebuild.view.positions_of(table) == goal
    anew = await rebuild.view.begin(again=True)
    assert anew != table
    assert await rebuild.view.positions_of(anew) == {}
    with pytest.raises(Rejected):
        await rebuild.switch(table)


async def test_its_progress_is_measured_in_every_process(running: Running, rebuild: Rebuild) -> None:
    showing = asyncio.create_task(RebuildProgress([rebuild]).run())

    async def shows(remaining: int) -> None:
        async def does() -> bool:
            return REGISTRY.get_sample_value("caudal_rebuild_remaining_positions", {"view": NAME}) == remaining

        await eventually(does, what=f"{remaining} positions to go")

    await shows(0)
    table = await rebuild.view.begin(again=False)
    await shows(total(await rebuild.view.positions()))
    await build(rebuild, table)
    await shows(0)
    showing.cancel()


async def test_there_is_a_way_back_and_forth(running: Running, rebuild: Rebuild) -> None:
    await spoil(running, 3)
    table = await rebuild.view.begin(again=False)
    await build(rebuild, table)
    await rebuild.switch(table)
    await running.add(10)
    await running.shows(50)
    assert await spoilt(running) == 0

    await rebuild.view.roll_back()
    await running.shows(50)
    assert await spoilt(running) == 3
    await running.add(10)
    await running.shows(60)

    await rebuild.view.roll_back()
    await running.shows(60)
    assert await spoilt(running) == 0
    await eventually(running.is_verified)

    await rebuild.view.discard()
    with pytest.raises(Rejected, match="no earlier version"):
        await rebuild.view.roll_back()
    again = await rebuild.view.begin(again=False)
    await build(rebuild, again)
    await rebuild.switch(again)
    await rebuild.view.begin(again=False)
    await running.shows(60)


async def test_an_event_that_fails_in_the_new_version_is_parked_for_that_one_alone_until_it_is_live(
    running: Running, rebuild: Rebuild
) -> None:
    def fails(row: Records, event: RecordedEvent[Any]) -> Records | None:
        if isinstance(event.data, DataValidated) and event.position == 3:
            raise LookupError("not this one")
        return RECORDS.apply(row, event)

    rebuild = Rebuild(rebuild._installation, replace(RECORDS, apply=fails))
    table = await rebuild.view.begin(again=False)
    await build(rebuild, table)
    dead_letters = running.projector.store.dead_letters
    assert await dead_letters.all() == []

    found = await rebuild.switch(table)

    assert found is not None
    assert found.rows == 1
    assert [(dead_letter.position, dead_letter.error) for dead_letter in await dead_letters.all()] == [
        (3, "LookupError: not this one")
    ]

    async def dealt_with() -> bool:
        return await dead_letters.all() == []

    await eventually(dealt_with)
    assert await running.is_verified()


async def test_the_commands_rebuild_with_several_processes_and_roll_back(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spoil(running, 2)
    environment = {"CAUDAL_WRITE_DSN": running.settings.write_dsn, "CAUDAL_BROKERS": running.settings.brokers}
    options = ("--data-dir", str(tmp_path))

    dry, plan, _ = await caudal("projections", "rebuild", NAME, *options, environment=environment)
    assert (dry, "a new version will be built" in plan, await spoilt(running)) == (0, True, 2)
    applied = ("--apply", *options)

    code, out, err = await caudal("projections", "rebuild", NAME, "--workers", "2", *applied, environment=environment)

    assert (code, "2 rows differ from the previous version" in out) == (0, True), out + err
    assert await spoilt(running) == 0
    code, out, _ = await caudal("projections", "list", *options, environment=environment)
    assert (code, "records_previous" in out) == (0, True)
    for command in ("rollback", "discard"):
        dry, plan, _ = await caudal("projections", command, NAME, *options, environment=environment)
        assert (dry, "records_previous" in plan, await spoilt(running)) == (0, True, 0)
    assert (await caudal("projections", "rollback", NAME, *applied, environment=environment))[0] == 0
    assert await spoilt(running) == 2
    assert (await caudal("projections", "discard", NAME, *applied, environment=environment))[0] == 0
    monkeypatch.setenv("CAUDAL_WRITE_DSN", running.settings.write_dsn)
    with pytest.raises(NotFound, match=NAME):
        await operate(DISCARD, OneView(view="data_ingestion.nothing"), Settings())
