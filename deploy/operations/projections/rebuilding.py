"""``caudal projections rebuild``: several processes fill the new version, this process watches them and then switches."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from rich.console import Console

from deploy.console.printing import confirmed, counted, lines
from deploy.console.progress import ProgressBar, progress_bar
from deploy.operations.projections.versions import opened_view, projection_named
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a rebuild."""

    workers: int | None = None
    """Processes; ``None`` for one each core, 8 at most."""
    again: bool = False
    """Whether to begin again if a version is half built."""
    switch: bool = True
    """Whether to switch to the new version."""


async def rebuild(name: str, settings: Settings, options: Options, *, apply: bool) -> Difference | None:
    """Builds a new version and switches to it, or prints what that would take. Raises `NotFound`, `Rejected`, `Unavailable`.

    A rebuild that was stopped continues when it is called again.
    """
    out = lines()
    async with opened_view(name, settings) as work:
        await _print_plan(work, options, out)
    if not confirmed(out, apply=apply):
        return None
    return await _rebuild(name, settings, options, out)


async def rebuild_quietly(name: str, settings: Settings) -> None:
    """Builds a new version from the beginning and switches to it, without output."""
    await _rebuild(name, settings, Options(again=True), Console(quiet=True))


async def _print_plan(work: Rebuild, options: Options, out: Console) -> None:
    versions, positions = await work.view.versions(), total(await work.view.positions())
    begins = (
        f"{versions.building} will be completed" if versions.building and not options.again else "a new version will be built"
    )
    then = "and then become live" if options.switch else "and kept beside the live one"
    out.print(f"{work.name}: {begins} from {counted(positions, 'log position')}, {then}.", markup=False)


async def _rebuild(name: str, settings: Settings, options: Options, out: Console) -> Difference | None:
    async with opened_view(name, settings) as work:
        table = await work.view.begin(again=options.again)
        count = options.workers or min(os.cpu_count() or 1, 8)
        with ProcessPoolExecutor(count, get_context("spawn")) as pool, progress_bar(out, name, "positions") as bar:
            await _fill(work, table, settings, pool, count, bar)
        if not options.switch:
            out.print(f"{name}: {table} is ready; `caudal projections rebuild {name} --apply` switches to it.")
            return None
        found = await work.switch(table)
    _report(name, found, out)
    return found


async def _fill(
    work: Rebuild, table: str, settings: Settings, pool: ProcessPoolExecutor, workers: int, bar: ProgressBar
) -> None:
    """Fills in rounds until the live view is nearly reached, because that one moves on in the meantime."""
    loop = asyncio.get_running_loop()
    while True:
        goal = await work.view.positions()
        if total(goal) - total(await work.view.positions_of(table)) < _CLOSE:
            return
        shares = _shares(goal, workers)
        running = [loop.run_in_executor(pool, _work, settings, work.name, table, share) for share in shares]
        while (await asyncio.wait(running, timeout=0.3))[1]:
            bar.show(total(await work.view.positions_of(table)), total(goal))
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


def _report(name: str, found: Difference | None, out: Console) -> None:
    if found is None:
        out.print(f"{name}: switched. The previous version has other columns, so the rows were not compared.")
    elif not found.rows:
        out.print(f"{name}: switched. All rows are as they were.")
    else:
        more = " …" if found.rows > len(found.some) else ""
        differ = f"differ{'s' if found.rows == 1 else ''} from the previous version"
        out.print(f"{name}: switched. {counted(found.rows, 'row')} {differ}: {', '.join(found.some)}{more}", markup=False)
    out.print(
        f"`caudal projections rollback {name}` goes back, `caudal projections discard {name}` drops the previous version."
    )
