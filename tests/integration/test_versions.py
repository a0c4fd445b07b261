"""Versions of a view that change places while other things happen: the live one is always as the logs say."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from projectors.rebuild import Rebuild
from projectors.versions import Positions
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import DataReceived
from schemas.errors import Rejected
from streams.database.pools import Databases
from streams.installation import Installation
from streams.settings import Settings
from streams.subscriptions.subscriber import Batch
from tests.integration.deliveries import DELIVERIES, RECORDS, batches_of
from tests.integration.spoilt import INGESTION, Bench, Logs, put_back


@pytest.fixture
def bench(settings: Settings, catalog: Catalog, databases: Databases) -> Bench:
    return Bench(settings, catalog, databases)


@pytest.fixture
async def rebuild(settings: Settings, catalog: Catalog) -> AsyncIterator[Rebuild]:
    databases = Databases("caudal_owner", 4)
    yield Rebuild(Installation(settings, catalog, databases), RECORDS)
    await databases.close()


@pytest.fixture
def late(logs: Logs) -> Sequence[Batch]:
    """A partition whose first events come late."""
    return [batch for batch in batches_of(logs, 10_000) if (batch.context, batch.partition) == (INGESTION, 3)]


async def built(rebuild: Rebuild) -> str:
    table = await rebuild.view.begin(again=False)
    goal = await rebuild.view.positions()
    await rebuild.build(table, [(context, partition, up_to) for context, at in goal.items() for partition, up_to in at.items()])
    return table


async def replayed(bench: Bench, logs: Logs) -> None:
    """Brings the view up to date from its checkpoints."""
    await bench.projector().handle(batches_of(logs, 10_000))


async def test_a_roll_back_contains_partitions_that_began_after_the_switch(
    bench: Bench, logs: Logs, rebuild: Rebuild, late: Sequence[Batch]
) -> None:
    projector = bench.projector()
    await projector.handle([batch for batch in batches_of(logs, 10_000) if batch not in late])
    await rebuild.switch(await built(rebuild))
    await projector.handle(late)
    assert await bench.is_verified()

    assert await rebuild.view.roll_back() == 0
    await replayed(bench, logs)

    assert await bench.is_verified()


async def test_what_processes_noted_about_a_version_goes_with_its_checkpoints(
    bench: Bench, logs: Logs, rebuild: Rebuild
) -> None:
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    await bench.note_attempt()
    await rebuild.switch(await built(rebuild))
    assert await bench.attempts() == set()

    await bench.note_attempt()
    assert await rebuild.view.roll_back() == 0
    assert await bench.attempts() == set()

    await bench.note_attempt()
    await bench.note_attempt("another")
    await put_back(projector)
    assert await bench.attempts() == {"another"}


async def test_a_partition_that_begins_during_a_switch_waits_for_it(
    bench: Bench, logs: Logs, rebuild: Rebuild, late: Sequence[Batch]
) -> None:
    projector = bench.projector()
    await projector.handle([batch for batch in batches_of(logs, 10_000) if batch not in late])
    table, taking = await built(rebuild), []

    async def complete(goal: Positions) -> None:
        taking.append(asyncio.create_task(projector.handle(late)))
        await asyncio.sleep(0.5)

    await rebuild.view.switch(table, complete)
    await taking[0]

    assert await projector.position(INGESTION, 3) == late[0].events[-1].position
    assert await bench.is_verified()


async def test_a_version_that_is_ahead_does_not_go_live(bench: Bench, logs: Logs, rebuild: Rebuild) -> None:
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    table = await built(rebuild)
    await put_back(projector)

    with pytest.raises(Rejected, match="--restart"):
        await rebuild.switch(table)
    await replayed(bench, logs)
    assert await bench.is_verified()
    assert await rebuild.switch(table) is not None


async def test_a_version_that_lacks_what_operators_have_resolved_does_not_go_live(
    bench: Bench, logs: Logs, rebuild: Rebuild
) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    table = await built(rebuild)
    await projector.store.dead_letters.skip((await bench.dead_letters())[:1])
    await projector.retry()
    assert await bench.is_verified()

    with pytest.raises(Rejected, match="--restart"):
        await rebuild.switch(table)
    await rebuild.view.begin(again=True)
    found = await rebuild.switch(await built(rebuild))

    assert found is not None
    assert found.rows == 0
    assert await bench.is_verified()
    assert await rebuild.view.roll_back() == 0
    assert await bench.is_verified()

    bench.spoil(DataReceived, logs[INGESTION][0])
    await put_back(projector)
    await replayed(bench, logs)
    assert await bench.dead_letters() == [], "what was skipped stays skipped"
    assert await bench.is_verified()


async def test_a_resolution_after_the_switch_prevents_a_roll_back(bench: Bench, logs: Logs, rebuild: Rebuild) -> None:
    bench.spoil(DataReceived, logs[INGESTION][0])
    projector = bench.projector()
    await projector.handle(batches_of(logs, 10_000))
    rebuild = Rebuild(rebuild._installation, bench.projection())
    await rebuild.switch(await built(rebuild))
    assert [dead_letter.state for dead_letter in await bench.dead_letters()] == ["retrying", "waiting"]
    await projector.store.dead_letters.skip((await bench.dead_letters())[:1])
    await projector.retry()

    with pytest.raises(Rejected, match="caudal projections rebuild"):
        await rebuild.view.roll_back()

    assert await bench.is_verified()
    assert len(await rebuild.view.discard()) == 1
    assert await rebuild.view.discard() == []


async def test_a_version_of_another_shape_comes_back_only_if_that_is_asked_for(
    bench: Bench, logs: Logs, rebuild: Rebuild
) -> None:
    await bench.projector().handle(batches_of(logs, 10_000))
    await rebuild.switch(await built(rebuild))
    views = rebuild._installation.view_store(RECORDS.home)
    await views.execute("version_define", "records_previous", "another shape")

    with pytest.raises(Rejected, match="--other-shape"):
        await rebuild.view.roll_back()
    assert (await rebuild.view.versions()).previous == "records_previous"

    assert await rebuild.view.roll_back(other_shape=True) == 0


async def test_a_view_that_is_switched_while_it_is_verified_is_verified_again(
    bench: Bench, logs: Logs, rebuild: Rebuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replayed(bench, logs)
    verification, table = bench.verification(), await built(rebuild)
    fold, folds = verification._apply_anew, 0

    async def and_switch(*args: Any) -> None:
        nonlocal folds
        await fold(*args)
        folds += 1
        if folds == 1:
            await rebuild.switch(table)

    monkeypatch.setattr(verification, "_apply_anew", and_switch)

    verified = await verification.run(lambda done, total: None)

    assert (folds, verified.found, verified.rows) == (2, 0, DELIVERIES)


async def test_a_repaired_event_that_fails_in_the_new_version_is_open_once_that_is_live(
    bench: Bench, logs: Logs, rebuild: Rebuild
) -> None:
    await bench.repaired(logs)
    bench.spoil(DataReceived, logs[INGESTION][0])
    failing = Rebuild(rebuild._installation, bench.projection())

    table = await built(failing)
    assert await failing.switch(table) is not None

    opened = await bench.dead_letters()
    assert [(one.position, one.state) for one in opened] == [(1, "retrying"), (2, "waiting")]
    assert "repaired" in opened[0].stored_event().data
    bench.spoilt.clear()
    await bench.make_due()
    await bench.projector().retry()
    assert await bench.dead_letters() == []
    assert await bench.is_verified()


async def test_a_candidate_of_another_shape_is_started_anew(bench: Bench, logs: Logs, rebuild: Rebuild) -> None:
    await bench.projector().handle(batches_of(logs, 10_000))
    older = await rebuild.view.begin(again=False)
    views = rebuild._installation.view_store(RECORDS.home)
    await views.execute("version_define", older, "another shape")

    newer = await built(rebuild)

    assert newer != older
    assert (await rebuild.view.versions()).building == newer
    found = await rebuild.switch(newer)
    assert found is not None
    assert found.rows == 0
