"""Routing: which API answers a method and a path of a gateway, and under which path."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from command_api.http import paths as commands
from command_api.http.paths import QuestionPath, UploadPath
from query_api.queries import discovery as queries
from schemas.catalog import Catalog
from schemas.clients.dialect import Dialect
from schemas.clients.gateway import Gateway
from schemas.errors import Misconfigured

Api = Literal["command", "query"]
_SLASHES = re.compile("//+")


@dataclass(frozen=True, slots=True)
class Route:
    """A path of an API, and the name under which a gateway has it."""

    method: str
    path: str
    inner: str
    """The API's own name of it."""
    api: Api
    is_command: bool
    """Whether a repeat under the same idempotency key is safe."""
    is_upload: bool = False
    """Whether its requests are files."""
    errors: Dialect | None = None
    """How the gateway's own errors are reported; ``None``: as problem documents."""

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self.api == "query"


@dataclass(frozen=True, slots=True)
class Target:
    """The path of an API to which a request goes."""

    route: Route
    path: str
    """The path at the API, percent-encoded."""


class Routes:
    """The paths of one gateway."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.all = tuple(routes)
        self._compiled = [(compile_path(route.path), compile_path(route.inner)[1], route) for route in self.all]

    def find(self, method: str, raw_path: str) -> Target:
        """Returns the target of a request with a percent-encoded path, in which doubled slashes count as one.

        Raises starlette's `HTTPException`: 404 for an unknown path, 405 for another method.
        """
        raw_path = _SLASHES.sub("/", raw_path)
        path, wanted = unquote(raw_path), "GET" if method == "HEAD" else method
        if not {".", ".."}.isdisjoint(path.split("/")):
            raise HTTPException(404)  # an API would resolve them, and answer under another path than was looked up
        allowed: set[str] = set()
        for (pattern, _, convertors), inner, route in self._compiled:
            if (found := pattern.match(path)) is None:
                continue
            if route.method != wanted:
                allowed.add(route.method)
                continue
            if route.inner == route.path:
                return Target(route, raw_path)
            given: dict[str, Any] = {name: convertors[name].convert(text) for name, text in found.groupdict().items()}
            return Target(route, quote(inner.format(**given)))
        if allowed:
            shown = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
            raise HTTPException(405, headers={"Allow": shown})
        raise HTTPException(404)


def routes_of(gateway: Gateway, catalog: Catalog) -> Routes:
    """Returns the paths of a gateway; raises `Misconfigured` if one of its ``paths`` leads to no path of its system."""
    inner = {(route.method, route.inner): route for route in _own_paths(gateway.system, catalog)}
    renamed = list(_renamed(gateway, inner))
    if gateway.only_paths:
        return Routes(renamed)
    hidden = {(route.method, name) for route in renamed for name in (route.path, route.inner)}
    return Routes([*renamed, *(route for key, route in inner.items() if key not in hidden), *_of_the_engine(gateway.system)])


def _renamed(gateway: Gateway, inner: Mapping[tuple[str, str], Route]) -> Iterator[Route]:
    for name, target in gateway.paths.items():
        method, _, path = name.partition(" ")
        if (known := inner.get((method, target))) is None:
            raise Misconfigured(f"the gateway {gateway.name}: {gateway.system} has no path {method} {target}")
        if compile_path(path)[2].keys() != compile_path(target)[2].keys():
            raise Misconfigured(f"the gateway {gateway.name}: {path} and {target} have different parameters")
        yield replace(known, path=path)


def _own_paths(system: str, catalog: Catalog) -> Iterator[Route]:
    for path in commands.installed(catalog).get(system, ()):
        method = "POST" if isinstance(path, QuestionPath) else path.method
        is_command = not isinstance(path, QuestionPath)
        yield Route(
            *(method, path.path, path.path, "command"),
            is_command=is_command,
            is_upload=isinstance(path, UploadPath),
            errors=path.errors,
        )
    for query in queries.installed(catalog).get(system, ()):
        yield Route("GET", query.path, query.path, "query", is_command=False, errors=query.errors)


def _of_the_engine(system: str) -> Iterator[Route]:
    command, view = f"/commands/{system}/{{command}}", f"/views/{system}/{{path:path}}"
    yield Route("POST", command, command, "command", is_command=True)
    yield Route("GET", view, view, "query", is_command=False)
