"""The versions of views: listing, going back to the previous one, dropping all but the live one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field, TypeAdapter
from rich.console import RenderableType

from deploy.console.printing import ago, counted, grouped, grouped_by_system
from deploy.operations.installation import OpenInstallation
from deploy.operations.operation import Operation
from deploy.operations.reading import Listing, Reading, listed
from deploy.operations.run import Facts, Parameters, Result, Run
from projectors.discovery import installed
from projectors.projection import Projection
from projectors.rebuild import Rebuild
from projectors.versions import Versions
from schemas.catalog import Catalog
from schemas.errors import NotFound, Rejected


class EveryView(Parameters):
    """All views."""


class OneView(Parameters):
    """One view."""

    view: str = Field(description="Its name: `system.view`.")


class RollBack(OneView):
    """The view that goes back to its previous version."""

    other_shape: bool = Field(default=False, description="Also to a version whose columns the installed code does not declare.")


@dataclass(frozen=True, slots=True)
class ListedView:
    """The versions of a view."""

    name: str
    building: str | None
    """Table of the version that is being built."""
    previous: str | None
    """Table of the version that was live before."""
    previous_differs: int | None
    """In how many rows the previous version differed; ``None`` if it has other columns."""
    switched_at: datetime | None
    """Since when the live version is live; ``None`` if it never was another one."""

    @property
    def has_others(self) -> bool:
        """Whether there is a version beside the live one."""
        return bool(self.building or self.previous)


def view_named(installation: OpenInstallation, name: str) -> Rebuild:
    """Returns the rebuild of a view, with connections of the owner; raises `NotFound`, which lists the views."""
    return Rebuild(installation.within("caudal_owner"), projection_named(name, installation.catalog))


def projection_named(name: str, catalog: Catalog) -> Projection[Any]:
    """Returns the projection of ``system.view``; raises `NotFound`, which lists the views."""
    known = {projection.full_name: projection for projection in installed(catalog)}
    if name not in known:
        raise NotFound(f"there is no view {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


async def list_views(installation: OpenInstallation, _: EveryView) -> Listing[ListedView]:
    """Lists the versions of each view: the live one, one that is being built, and the previous one."""

    async def of(projection: Projection[Any]) -> list[ListedView]:
        versions = await Rebuild(installation.within("caudal_owner"), projection).view.versions()
        return [
            ListedView(
                projection.full_name, versions.building, versions.previous, versions.previous_differs, versions.switched_at
            )
        ]

    return await listed(map(of, installed(installation.catalog)))


async def roll_back(run: Run, wanted: RollBack) -> Result:
    """Makes the previous version live again; its projectors catch up from the log.

    Raises `Rejected` if there is none, or if it cannot be live.
    """
    name = wanted.view
    work = view_named(run.installation, name)
    versions = await work.view.versions()
    if versions.previous is None:
        raise Rejected(f"there is no previous version of {name}; `caudal projections list --all` shows all versions")
    run.say(f"{name}: {versions.previous} will be live again ({_difference(versions.previous_differs)}).")
    if versions.previous_differs is None:
        run.say("It has other columns: queries fail until the code that declares them runs again (--other-shape).", "warning")
    if await run.begin(_recorded(versions)):
        await work.view.roll_back(other_shape=wanted.other_shape)
        run.say(
            f"{name}: the previous version is live again and catches up. The newer one is kept: a second rollback goes back "
            "to it."
        )
        if versions.previous_differs != 0:
            run.say(f"`caudal verify views {name}` says whether it is right.")
    return Result(after={"live": versions.previous})


async def discard(run: Run, wanted: OneView) -> Result:
    """Drops every version but the live one."""
    name = wanted.view
    work = view_named(run.installation, name)
    versions = await work.view.versions()
    there = [table for table in (versions.building, versions.previous) if table is not None]
    if not there:
        run.say(f"{name}: there is no version but the live one.")
        return Result()
    run.say(f"{name}: {', '.join(there)} {'is' if len(there) == 1 else 'are'} to be dropped.")
    if await run.begin(_recorded(versions)):
        dropped = await work.view.discard()
        run.say(f"{name}: dropped {', '.join(dropped)}.")
    return Result(after={"dropped": there})


def version_table(found: Sequence[ListedView], now: datetime) -> RenderableType:
    """Returns a table with a row for each view: the live version, the one that is being built, and the previous one."""
    groups = {
        system: [
            (name, f"live since {ago(of.switched_at, now)}" if of.switched_at else "live", of.building or "-", _previous(of))
            for name, of in views
        ]
        for system, views in grouped_by_system((one.name, one) for one in found).items()
    }
    return grouped(("View", "Live version", "Being built", "Previous version"), groups)


def _previous(view: ListedView) -> str:
    return "-" if view.previous is None else f"{view.previous}, {_difference(view.previous_differs)}"


def _difference(rows: int | None) -> str:
    match rows:
        case None:
            return "other columns"
        case 0:
            return "same rows"
        case _:
            return f"{counted(rows, 'row')} differ{'s' if rows == 1 else ''}"


def _recorded(versions: Versions) -> Facts:
    return {"building": versions.building, "previous": versions.previous, "previous_differs": versions.previous_differs}


LIST = Reading("projections/list", EveryView, list_views, TypeAdapter(Listing[ListedView]))
ROLLBACK = Operation("projections/rollback", RollBack, roll_back)
DISCARD = Operation("projections/discard", OneView, discard)
