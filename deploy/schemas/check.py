"""``caudal schemas``: compares the event classes with the shapes that are recorded beside them."""

from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator
from rich.console import Console

from deploy.console.printing import counted
from deploy.schemas import shapes
from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.system import Context, ContextName
from streams.discovery import installed_catalog, schemas_module


def check(systems: Collection[str] = ()) -> int:
    """Prints each recorded event of these systems that cannot be read, and returns 1 if there is any; by default of all."""
    console, catalog = Console(highlight=False, soft_wrap=True), installed_catalog(systems)
    found = list(problems(catalog))
    for problem in found:
        console.print(problem, style="red", markup=False)
    if found:
        console.print("`caudal schemas record` records what is new. It never narrows a recorded shape.")
        return 1
    events = sum(len(context.events) for context in catalog.contexts.values())
    console.print(f"{counted(events, 'event')}: every recorded shape can be read.")
    return 0


def problems(catalog: Catalog) -> Iterator[str]:
    """Yields a sentence for each recorded event of these systems that cannot be read, and each event that is not recorded.

    Raises `Misconfigured` for a system whose module has no folder.
    """
    for folder, name, context in _contexts(catalog):
        yield from shapes.problems(folder, name, context, catalog, is_document)
    for path in _strays(catalog):
        yield f"{path} belongs to no context: remove it, or declare the context"


def record(systems: Collection[str] = ()) -> int:
    """Records the shapes of new events and of new schema versions, then checks."""
    console = Console(highlight=False, soft_wrap=True)
    for folder, name, context in _contexts(installed_catalog(systems)):
        for path in shapes.record(folder, name, context):
            console.print(f"recorded {path}", markup=False)
    return check(systems)


def is_document(schema: dict[str, Any], document: Any) -> bool:
    """Returns whether a document is valid by a schema."""
    return bool(Draft202012Validator(schema, validate_formats=True).is_valid(document))


def _strays(catalog: Catalog) -> Iterator[Path]:
    known = {(folder, context.name) for folder, _, context in _contexts(catalog)}
    for folder in sorted({folder for folder, _ in known}):
        for path in sorted(folder.glob("*.json")):
            if (folder, path.name.partition(".")[0]) not in known:
                yield path


def _contexts(catalog: Catalog) -> Iterator[tuple[Path, ContextName, Context]]:
    for name, context in catalog.contexts.items():
        yield _folder_beside(schemas_module(name.system)), name, context


def _folder_beside(module: str) -> Path:
    """Returns the folder ``shapes`` beside the module that registers a system, or inside its package."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise Misconfigured(f"the module {module} has no folder for shapes: it must be a file or a package")
    return Path(spec.origin).parent / "shapes"
