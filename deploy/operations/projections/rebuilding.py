"""``caudal projections rebuild``: several processes fill the new version, this one watches, and switches at the end."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from deploy.console import printing
from deploy.console.connection import connected
from deploy.console.printing import counted
from projectors.discovery import installed
from projectors.projection import Projection
from projectors.rebuild import Rebuild, total
from projectors.versions import Difference, Positions, Versions
from schemas.catalog import Catalog, ContextName
from schemas.errors import NotFound
from streams.database.pools import Databases
from streams.installation import Installation
from streams.settings import Settings

_CLOSE = 2000
"""So many positions behind, the switch may begin: what is left is done while the live view stands still."""


async def rebuild(
    name: str, data_dir: Path, settings: Settings, console: Console, *, workers: int | None, again: bool, switch: bool
) -> Difference | None:
    """Builds the new version and, unless that is not wanted, switches to it. Raises `NotFound`, `Rejected`, `Unavailable`.

    Stopped, it goes on from where it was when it is called again.
    """
    async with _rebuild(name, data_dir, settings) as work:
        table = await work.view.begin(again=again)
        count = workers or min(os.cpu_count() or 1, 8)
        with ProcessPoolExecutor(count, get_context("spawn")) as pool, _progress(console, name) as show:
            await _fill(work, table, connected(settings, data_dir), pool, count, show)
        if not switch:
            console.print(f"{name}: {table} is ready; `caudal projections rebuild {name}` switches to it.")
            return None
        found = await work.switch(table)
    _tell(name, found, console)
    return found


async def rebuilt(name: str, data_dir: Path, settings: Settings) -> None:
    """Rebuilds a view anew and switches to it, without a word."""
    await rebuild(name, data_dir, settings, Console(quiet=True), workers=None, again=True, switch=True)


async def roll_back(name: str, data_dir: Path, settings: Settings, console: Console, *, other_shape: bool = False) -> None:
    """Puts the previous version back; raises `Rejected` if there is none, or if it does not fit."""
    async with _rebuild(name, data_dir, settings) as work:
        differs = await work.view.roll_back(other_shape=other_shape)
    console.print(
        f"{name}: the version before is live again, and catches up. The newer one is kept: roll back again to undo this."
    )
    if differs != 0:
        rows = "another shape" if differs is None else f"{differs} rows that differed"
        console.print(f"It had {rows} when the two changed places: `caudal verify views {name}` says whether it is right.")


async def discard(name: str, data_dir: Path, settings: Settings, console: Console) -> None:
    """Drops what there is beside the live view."""
    async with _rebuild(name, data_dir, settings) as work:
        dropped = await work.view.discard()
    console.print(f"{name}: dropped {', '.join(dropped)}." if dropped else f"{name}: nothing was kept beside the live version.")


async def list_versions(data_dir: Path, settings: Settings) -> None:
    """Prints each view's versions."""
    shown = printing.table("View", "Being built", "Before", "Switched")
    for projection in installed(Catalog.installed(connected(settings, data_dir).systems)):
        async with _rebuild(projection.full_name, data_dir, settings) as work:
            versions = await work.view.versions()
        switched = f"{versions.switched_at:%Y-%m-%d %H:%M:%S}" if versions.switched_at else ""
        shown.add_row(projection.full_name, versions.building or "", _before(versions), switched)
    printing.console().print(shown)


def _before(versions: Versions) -> str:
    if versions.previous is None or versions.previous_differs == 0:
        return versions.previous or ""
    return f"{versions.previous}, {versions.previous_differs or 'all'} rows differ"


@asynccontextmanager
async def _rebuild(name: str, data_dir: Path, settings: Settings) -> AsyncIterator[Rebuild]:
    settings = connected(settings, data_dir)
    catalog = Catalog.installed(settings.systems)
    databases = Databases("caudal_owner", pool_size=4)
    try:
        yield Rebuild(Installation(settings, catalog, databases), _named(name, catalog))
    finally:
        await databases.close()


async def _fill(work: Rebuild, table: str, settings: Settings, pool: ProcessPoolExecutor, workers: int, show: "_Show") -> None:
    """Fills in rounds until the live view is nearly reached: it moves on meanwhile."""
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
    """The partitions dealt out; each worker goes through the contexts in the same order, so that few meet on one row."""
    shares: list[list[tuple[ContextName, int, int]]] = [[] for _ in range(workers)]
    for context, at in goal.items():
        for n, (partition, up_to) in enumerate(sorted(at.items())):
            shares[n % workers].append((context, partition, up_to))
    return [share for share in shares if share]


def _work(settings: Settings, name: str, table: str, share: Sequence[tuple[ContextName, int, int]]) -> None:
    """What one process does."""
    asyncio.run(_build(settings, name, table, share))


async def _build(settings: Settings, name: str, table: str, share: Sequence[tuple[ContextName, int, int]]) -> None:
    catalog = Catalog.installed(settings.systems)
    databases = Databases("caudal_owner", pool_size=2, durable=False)
    try:
        await Rebuild(Installation(settings, catalog, databases), _named(name, catalog)).build(table, share)
    finally:
        await databases.close()


def _named(name: str, catalog: Catalog) -> Projection[Any]:
    known = {projection.full_name: projection for projection in installed(catalog)}
    if name not in known:
        raise NotFound(f"there is no view {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


class _Show:
    """Shows how far it is."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._task = progress, progress.add_task(name, total=None, rate="")
        self._began: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        began, first = self._began = self._began or (time.monotonic(), done)
        rate = (done - first) / max(time.monotonic() - began, 0.001)
        self._progress.update(self._task, completed=done, total=total, rate=f"{rate:,.0f} positions/s")


@contextmanager
def _progress(console: Console, name: str) -> Iterator[_Show]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield _Show(progress, name)


def _tell(name: str, found: Difference | None, console: Console) -> None:
    if found is None:
        console.print(f"{name}: switched; the version before had another shape, so they were not compared.")
    elif not found.rows:
        console.print(f"{name}: switched; every row is as it was.")
    else:
        more = " …" if found.rows > len(found.some) else ""
        differ = f"{counted(found.rows, 'row')} not as in the version before: {', '.join(found.some)}{more}"
        console.print(f"{name}: switched; {differ}")
    console.print(f"`caudal projections rollback {name}` goes back to it, `caudal projections discard {name}` drops it.")
