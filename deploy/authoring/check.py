"""``caudal check``: builds every process of the installed systems without a database or a broker, and prints what does not fit.

It finds in a second, and all at once, the faults that the processes would report at start.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, get_args

from rich.console import Console

from deploy.console.printing import counted, lines
from deploy.schemas.check import problems
from deploy.serving.serve import Service, room_of
from projectors.discovery import installed
from schemas.catalog import Catalog
from schemas.errors import CaudalError
from schemas.system import ENGINE
from streams.database.view_tables import table_of
from streams.discovery import installed_catalog
from streams.settings import Settings

T = TypeVar("T")


async def check(settings: Settings) -> int:
    """Prints each problem and returns 1 if there is any. It runs in an event loop, as the processes do."""
    out = lines()
    catalog, problem = attempt(lambda: installed_catalog(settings.systems))
    if catalog is None:
        return _end(out, [problem])
    found = _each_once([*_views(catalog), *_processes(settings, catalog), *_shapes(catalog)])
    if not found:
        out.print(f"{_counts(catalog)}: everything fits together.", style="green")
    return _end(out, found)


def attempt(work: Callable[[], T]) -> tuple[T | None, str]:
    """Returns the result of the work and no problem, or no result and the problem with the place in the code."""
    try:
        return work(), ""
    except Exception as error:  # an author's code may raise anything while it is imported
        return None, problem_of(error)


def problem_of(error: Exception) -> str:
    """Returns an error as one line; one that is not Caudal's with the place in the author's code."""
    if isinstance(error, CaudalError):
        return error.detail
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename and not frame.filename.startswith("<")]
    place = (own or list(frames))[-1]
    return f"{place.filename}:{place.lineno}: {type(error).__name__}: {error}"


def _views(catalog: Catalog) -> Iterator[str]:
    """Views that cannot be stored, views that no projection fills, and projections of views that no system lists."""
    for context, view in catalog.views():
        _, problem = attempt(lambda home=context, shape=view: table_of(home, shape))  # type: ignore[misc]
        if problem:
            yield f"the view {context.system}.{view.view_name} cannot be stored: {problem}"
    projections, _ = attempt(lambda: installed(catalog))
    if projections is None:
        return  # the projectors' process names the problem
    filled = {(projection.system, projection.view) for projection in projections}
    listed = {(context.system, view) for context, view in catalog.views()}
    for system, view in sorted(listed - filled, key=str):
        yield f"no projection fills the view {system}.{view.view_name}: add one to its PROJECTIONS"
    for system, view in sorted(filled - listed, key=str):
        yield f"the view {system}.{view.view_name} has a projection, but the system {system} does not list it in its views"


def _processes(settings: Settings, catalog: Catalog) -> Iterator[str]:
    for service in get_args(Service):
        _, problem = attempt(lambda name=service: room_of(name)(settings, catalog))  # type: ignore[misc]
        if problem:
            yield problem


def _shapes(catalog: Catalog) -> Iterator[str]:
    """Recorded events that the installed classes cannot read, and events whose shape is not recorded."""
    found, problem = attempt(lambda: list(problems(catalog)))
    yield from [problem] if found is None else found


def _each_once(found: Sequence[str]) -> list[str]:
    """Returns each problem once, and that with its place if one part found the place and another did not."""
    return [one for one in dict.fromkeys(found) if not any(other != one and other.endswith(one) for other in found)]


def _counts(catalog: Catalog) -> str:
    systems = len(catalog.systems.keys() - {ENGINE})
    commands, views = len(list(catalog.commands())), len(list(catalog.views()))
    events = sum(len(context.events) for context in catalog.contexts.values())
    counts = (counted(systems, "system"), counted(commands, "command"), counted(events, "event"), counted(views, "view"))
    return ", ".join(counts)


def _end(out: Console, problems: list[str]) -> int:
    for problem in problems:
        out.print(f"- {problem}", style="red", markup=False)
    return 1 if problems else 0
