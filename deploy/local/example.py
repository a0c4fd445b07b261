"""A first call for a system that runs, a command that every caller may send, and a query for it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from deploy.schemas.samples import sample
from schemas.catalog import Catalog
from schemas.message import Command
from schemas.system import ENGINE, ContextName
from schemas.view import View

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True, slots=True)
class OwnPath:
    """A path of a system's own for a command: what its body looks like."""

    path: str
    command: type[Command]
    body: Mapping[str, Any]
    """JSON Schema."""


@dataclass(frozen=True, slots=True)
class Example:
    """A command as a request, and a query that shows what it led to."""

    system: str
    path: str
    body: Mapping[str, Any]
    query: str | None


def example_of(
    catalog: Catalog, paths: Mapping[str, Iterable[OwnPath]], queries: Mapping[str, Iterable[tuple[str, type[View]]]]
) -> Example | None:
    """Returns the first example that needs no token, if a system has one; one whose query is about its command comes first.

    ``paths`` and ``queries`` are the systems' own; a query is a path and its view.
    """
    found: list[tuple[int, Example]] = []
    for system in sorted(set(catalog.systems) - {ENGINE}):
        open_queries = [path for path, view in queries.get(system, ()) if _is_open(view)]
        found += _of_paths(system, paths.get(system, ()), open_queries)
        found += _of_commands(system, catalog)
    return max(found, key=lambda one: one[0])[1] if found else None


def _of_paths(system: str, paths: Iterable[OwnPath], queries: Iterable[str]) -> Iterator[tuple[int, Example]]:
    for own in paths:
        if own.command.command_access is None and not _PARAMETER.search(own.path):
            body = example_body(own.body)
            usable = [(bool(_PARAMETER.search(path)), query) for path in queries if (query := _filled(path, body)) is not None]
            is_about_it, query = max(usable, key=lambda one: one[0], default=(False, None))
            yield 1 + (query is not None) + is_about_it, Example(system, own.path, body, query)


def _of_commands(system: str, catalog: Catalog) -> Iterator[tuple[int, Example]]:
    view = next((view for home, view in catalog.views() if home.system == system and _is_open(view)), None)
    for context, command in catalog.commands():
        if _is_first(context, system, command):
            query = None if view is None else f"/views/{system}/{view.view_name}"
            path = f"/commands/{system}/{command.message_name}"
            yield 0, Example(system, path, example_body(command.model_json_schema()), query)
            return


def _is_first(context: ContextName, system: str, command: type[Command]) -> bool:
    return context.system == system and not command.internal and command.command_access is None


def _is_open(view: type[View]) -> bool:
    return view.view_access is None and view.view_rows is None


def _filled(path: str, body: Mapping[str, Any]) -> str | None:
    """Returns the path with values of the body in place of its parameters, if the body has all of them."""
    names = _PARAMETER.findall(path)
    if not set(names) <= body.keys():
        return None
    return _PARAMETER.sub(lambda found: quote(str(body[found[1]])), path)


def example_body(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the schema's first example, or a document with the members that it requires."""
    if schema.get("examples"):
        first: Mapping[str, Any] = schema["examples"][0]
        return first
    body = dict(sample(schema, full=False))
    for name in body:
        declared = schema.get("properties", {}).get(name, {})
        if declared.get("examples"):
            body[name] = declared["examples"][0]
        elif declared.get("type") == "string" and not {"format", "pattern", "enum"} & declared.keys():
            body[name] = f"{name.removesuffix('_id')}-1" if name.endswith("_id") else f"example {name}"
    return body
