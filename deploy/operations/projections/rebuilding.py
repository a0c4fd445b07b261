"""``caudal projections rebuild``: several processes fill the new version, this process watches them and then switches."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from pydantic import Field

from deploy.console.printing import counted
from deploy.operations.installation import OpenInstallation
from deploy.operations.operation import Operation
from deploy.operations.projections.versions import OneView, projection_named, view_named
from deploy.operations.run import Result, Run, Show
from projectors.rebuild import Rebuild, total
from projectors.versions import Difference, Positions
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.installation import Installation
from streams.settings import Settings
from streams.telemetry.logging import configure_logging

_CLOSE = 2000
"""The switch begins when this many positions are left: the live view waits while they are applied."""


class RebuildView(OneView):
    """The view to rebuild, and how."""

    workers: int | None = Field(default=None, ge=1, le=64, description="Processes that fill it; one for each core without it.")
    restart: bool = Field(default=False, description="Whether to begin again if a version is half built.")
    switch: bool = Field(default=True, description="Whether to switch to the new version.")


async def rebuild(run: Run, wanted: RebuildView) -> Result:
    """Builds a new version from the logs beside the live one, compares the two at the same position, and switches.

    A rebuild that was stopped continues when it is called again. Raises `NotFound`, `Rejected` and `Unavailable`.
    """
    work = view_named(run.installation, wanted.view)
    versions, positions = await work.view.versions(), total(await work.view.positions())
    is_continued = versions.building and not wanted.restart
    begins = f"{versions.building} will be completed" if is_continued else "a new version will be built"
    then = "and then become live" if wanted.switch else "and kept beside the live one"
    run.say(f"{work.name}: {begins} from {counted(positions, 'log position')}, {then}.")
    if not await run.begin({"building": versions.building, "previous": versions.previous}):
        return Result()

    table = await filled(run.installation, wanted, run.progress_of(work.name, "positions"))
    if not wanted.switch:
        run.say(f"{work.name}: {table} is ready; `caudal projections rebuild {work.name} --apply` switches to it.")
        return Result(after={"built": table})
    found = await work.switch(table)
    _report(run, work.name, found)
    return Result(after={"live": table, "rows_that_differ": None if found is None else found.rows})


async def rebuild_now(installation: OpenInstallation, view: str) -> Difference | None:
    """Builds a new version from the beginning and switches to it; returns how the two differ."""
    table = await filled(installation, RebuildView(view=view, restart=True), lambda _, __: None)
    return await view_named(installation, view).switch(table)


async def filled(installation: OpenInstallation, wanted: RebuildView, show: Show) -> str:
    """Builds a new version in several processes, or completes it, and returns its table."""
    work = view_named(installation, wanted.view)
    table = await work.view.begin(again=wanted.restart)
    count = wanted.workers or min(os.cpu_count() or 1, 8)
    pool = ProcessPoolExecutor(count, get_context("spawn"))
    try:
        await _fill(work, table, installation.settings, pool, count, show)
    finally:  # without waiting, which would hold up everything else in this process
        pool.shutdown(wait=False, cancel_futures=True)
    return table


async def _fill(work: Rebuild, table: str, settings: Settings, pool: ProcessPoolExecutor, workers: int, show: Show) -> None:
    """Fills in rounds until the live view is nearly reached, because that one moves on in the meantime."""
    loop = asyncio.get_running_loop()
    while True:
        goal = await work.view.positions()
        if total(goal) - total(await work.view.positions_of(table)) < _CLOSE:
            return
        shares = _shares(goal, workers)
        running = [loop.run_in_executor(pool, _work, settings, work.name, table, share) for share in shares]
        while (await asyncio.wait(running, timeout=0.3))[1]:
            show(total(await work.view.positions_of(table)), total(goal))
        for done in running:
            await done


def _shares(goal: Positions, workers: int) -> list[list[tuple[ContextName, int, int]]]:
    """Distributes the partitions; each worker goes through the contexts in the same order, so that few meet on one row."""
    shares: list[list[tuple[ContextName, int, int]]] = [[] for _ in range(workers)]
    for context, at in goal.items():
        for n, (partition, up_to) in enumerate(sorted(at.items())):
            shares[n % workers].append((context, partition, up_to))
    return [share for share in shares if share]


def _work(settings: Settings, name: str, table: str, share: Sequence[tuple[ContextName, int, int]]) -> None:
    """Returns the work of one process."""
    configure_logging("text", "warning")  # a new process: it inherits no set-up of logging
    asyncio.run(_build(settings, name, table, share))


async def _build(settings: Settings, name: str, table: str, share: Sequence[tuple[ContextName, int, int]]) -> None:
    catalog = installed_catalog(settings.systems)
    databases = Databases("caudal_owner", pool_size=2, durable=False)
    try:
        await Rebuild(Installation(settings, catalog, databases), projection_named(name, catalog)).build(table, share)
    finally:
        await databases.close()


def _report(run: Run, name: str, found: Difference | None) -> None:
    if found is None:
        run.say(f"{name}: switched. The previous version has other columns, so the rows were not compared.")
    elif not found.rows:
        run.say(f"{name}: switched. All rows are as they were.", "good")
    else:
        more = " …" if found.rows > len(found.some) else ""
        differ = f"differ{'s' if found.rows == 1 else ''} from the previous version"
        run.say(f"{name}: switched. {counted(found.rows, 'row')} {differ}: {', '.join(found.some)}{more}", "warning")
    run.say(f"`caudal projections rollback {name}` goes back, `caudal projections discard {name}` drops the previous version.")


REBUILD = Operation("projections/rebuild", RebuildView, rebuild)
