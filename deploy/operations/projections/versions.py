"""The versions of views: listing, going back to the previous one, dropping all but the live one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType

from deploy.console.printing import ago, confirmed, console, counted, grouped, grouped_by_system, lines
from projectors.discovery import installed
from projectors.projection import Projection
from projectors.rebuild import Rebuild
from projectors.versions import Versions
from schemas.catalog import Catalog
from schemas.errors import NotFound, Rejected
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.installation import Installation
from streams.settings import Settings


@asynccontextmanager
async def opened_view(name: str, settings: Settings) -> AsyncIterator[Rebuild]:
    """Yields the rebuild of a view, connected as the owner; raises `NotFound`, which lists the views."""
    catalog = installed_catalog(settings.systems)
    projection = projection_named(name, catalog)
    databases = Databases("caudal_owner", pool_size=4)
    try:
        yield Rebuild(Installation(settings, catalog, databases), projection)
    finally:
        await databases.close()


def projection_named(name: str, catalog: Catalog) -> Projection[Any]:
    """Returns the projection of ``system.view``; raises `NotFound`, which lists the views."""
    known = {projection.full_name: projection for projection in installed(catalog)}
    if name not in known:
        raise NotFound(f"there is no view {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


async def list_versions(settings: Settings, *, everything: bool) -> None:
    """Prints the versions of each view; without ``everything`` only of those that have more than one."""
    catalog = installed_catalog(settings.systems)
    databases = Databases("caudal_owner", pool_size=2)
    found = {}
    try:
        for projection in installed(catalog):
            rebuild = Rebuild(Installation(settings, catalog, databases), projection)
            found[rebuild.name] = await rebuild.view.versions()
    finally:
        await databases.close()
    shown = {name: versions for name, versions in found.items() if everything or versions.building or versions.previous}
    if shown:
        console().print(version_table(shown, datetime.now(UTC)))
    if hidden := len(found) - len(shown):
        lines().print(f"{counted(hidden, 'view')} with the live version alone{'' if everything else '; --all shows them'}.")


def version_table(found: dict[str, Versions], now: datetime) -> RenderableType:
    """Returns a table with a row for each view: the live version, the one that is being built, and the previous one."""
    groups = {
        system: [
            (name, f"live since {ago(of.switched_at, now)}" if of.switched_at else "live", of.building or "-", _previous(of))
            for name, of in views
        ]
        for system, views in grouped_by_system(found.items()).items()
    }
    return grouped(("View", "Live version", "Being built", "Previous version"), groups)


def _previous(versions: Versions) -> str:
    if versions.previous is None:
        return "-"
    return f"{versions.previous}, {_difference(versions)}"


def _difference(versions: Versions) -> str:
    match versions.previous_differs:
        case None:
            return "other columns"
        case 0:
            return "same rows"
        case rows:
            return f"{counted(rows, 'row')} differ{'s' if rows == 1 else ''}"


async def roll_back(name: str, settings: Settings, *, other_shape: bool, apply: bool) -> None:
    """Makes the previous version live again; raises `Rejected` if there is none, or if it cannot be live."""
    out = lines()
    async with opened_view(name, settings) as work:
        versions = await work.view.versions()
        if versions.previous is None:
            raise Rejected(f"there is no previous version of {name}; `caudal projections list --all` shows all versions")
        out.print(f"{name}: {versions.previous} will be live again ({_difference(versions)}).", markup=False)
        if versions.previous_differs is None:
            warning = "It has other columns: queries fail until the code that declares them runs again (--other-shape)."
            out.print(warning, style="yellow")
        if not confirmed(out, apply=apply):
            return
        await work.view.roll_back(other_shape=other_shape)
    out.print(
        f"{name}: the previous version is live again and catches up. The newer one is kept: a second rollback goes back to it."
    )
    if versions.previous_differs != 0:
        out.print(f"`caudal verify views {name}` says whether it is right.")


async def discard(name: str, settings: Settings, *, apply: bool) -> None:
    """Drops every version but the live one."""
    out = lines()
    async with opened_view(name, settings) as work:
        versions = await work.view.versions()
        there = [table for table in (versions.building, versions.previous) if table is not None]
        if not there:
            out.print(f"{name}: there is no version but the live one.")
            return
        out.print(f"{name}: {', '.join(there)} {'is' if len(there) == 1 else 'are'} to be dropped.")
        if confirmed(out, apply=apply):
            dropped = await work.view.discard()
            out.print(f"{name}: dropped {', '.join(dropped)}.")
