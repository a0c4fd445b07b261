"""Discovery of the installed systems and of their declarations.

A package registers a system with one line, under the entry point group ``caudal.systems``:

    todo = "todo.schemas:SYSTEM"        further packages: todo.aggregates, todo.projectors, todo.command_api, todo.query_api
    lab = "schemas.lab:SYSTEM"          further packages: aggregates.lab, projectors.lab, …
    demo = "demo:SYSTEM"                one module that holds everything

A package that a system does not need may be absent.
"""

from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.system import ENGINE, System

GROUP = "caudal.systems"
_SCHEMAS = "schemas"
_ENGINE = EntryPoint(ENGINE, "schemas.engine:SYSTEM", GROUP)
"""The engine's own system, which is part of every installation."""


def installed_catalog(systems: Collection[str] = ()) -> Catalog:
    """Returns a catalog of these systems and the engine's own; without any, of every installed system.

    Raises `Misconfigured` if one is not installed, or if an entry point has another name than its system.
    """
    points = _entry_points()
    if unknown := sorted(set(systems) - points.keys()):
        known = ", ".join(installed_names()) or "none"
        raise Misconfigured(f"CAUDAL_SYSTEMS names {', '.join(unknown)}, which is not installed; installed are {known}")
    wanted = {*systems, ENGINE} if systems else points.keys()
    return Catalog.of(_system(points[name]) for name in sorted(wanted))


def installed_names() -> list[str]:
    """Returns the names of the installed systems, without the engine's own."""
    return sorted(_entry_points().keys() - {ENGINE})


def schemas_module(system: str) -> str:
    """Returns the name of the module that declares an installed system."""
    return _entry_points()[system].module


def declared(catalog: Catalog, room: str, name: str) -> dict[str, Any]:
    """Returns what the systems of a catalog declare under a name in their package of a room, by system."""
    return {system: getattr(module, name) for system, module in _modules(catalog, room) if hasattr(module, name)}


def declared_rows(catalog: Catalog, room: str, name: str) -> dict[str, tuple[Any, ...]]:
    """Returns the tuples that systems declare under a name, by system; raises `Misconfigured` for anything but a tuple."""
    return {system: checked_rows(name, rows) for system, rows in declared(catalog, room, name).items()}


def checked_rows(name: str, rows: object) -> tuple[Any, ...]:
    """Returns a declared tuple; raises `Misconfigured` for anything else."""
    if not isinstance(rows, tuple):
        raise Misconfigured(f"{name} is not a tuple: is a comma missing?")
    return rows


def declared_domains(catalog: Catalog) -> dict[str, Any]:
    """Returns the domain of each system: its ``DOMAIN``, or ``domain(extensions)`` if packages may extend it.

    Such a system names the entry point group of its extensions as ``EXTENSIONS``.
    """
    found = {}
    for system, module in _modules(catalog, "aggregates"):
        if (group := getattr(module, "EXTENSIONS", None)) is not None:
            found[system] = module.domain({point.name: point.load() for point in entry_points(group=group)})
        elif hasattr(module, "DOMAIN"):
            found[system] = module.DOMAIN
    return found


def _entry_points() -> Mapping[str, EntryPoint]:
    return {ENGINE: _ENGINE} | {point.name: point for point in entry_points(group=GROUP)}


def _system(point: EntryPoint) -> System:
    system = point.load()
    if not isinstance(system, System):
        raise Misconfigured(f"the entry point {point.name!r} names {point.value}, which is not a System")
    if system.name != point.name:
        raise Misconfigured(f"the entry point {point.name!r} registers a system that calls itself {system.name!r}")
    return system


def _modules(catalog: Catalog, room: str) -> Iterator[tuple[str, ModuleType]]:
    points = _entry_points()
    for system in sorted(catalog.systems.keys() & points.keys()):
        path = points[system].module.split(".")
        module = ".".join(room if part == _SCHEMAS else part for part in path)
        if _exists(module):
            yield system, import_module(module)


def _exists(module: str) -> bool:
    """Returns whether there is such a module; errors inside of it come up when it is imported."""
    parent = module.rpartition(".")[0]
    return (not parent or _exists(parent)) and find_spec(module) is not None
