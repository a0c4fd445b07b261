"""Documentation pages: an OpenAPI document and Swagger UI for it, served without other hosts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from schemas.access import Access, Kind
from schemas.clients.dialect import Dialect
from schemas.errors import CaudalError, Misconfigured
from schemas.values.stated import RULES
from streams.http.model_schemas import model_schemas
from streams.http.problems import PROBLEM_TYPE, TITLES, Problem, status_of, type_of
from streams.http.responses import JsonResponse

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
  <link rel="stylesheet" href="docs/files/swagger-ui.css"><link rel="icon" href="docs/files/favicon-32x32.png">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="docs/files/swagger-ui-bundle.js"></script>
  <script>SwaggerUIBundle({{url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null}})</script>
</body>
</html>
"""


Describe = Callable[[], dict[str, Any]]
"""Returns an OpenAPI document."""


@dataclass(frozen=True, slots=True)
class ModelSchema:
    """The place of a model's schema in a document that is not complete yet."""

    model: type[BaseModel]


def schema_of(model: type[BaseModel]) -> ModelSchema:
    """Returns a pydantic class as a placeholder, which `document` replaces by a reference to its schema."""
    return ModelSchema(model)


class Effective(Protocol):
    """Returns the access to a command, a view or a log by ``system.name``, of which a declared one is given."""

    def __call__(self, kind: Kind, name: str, declared: Access | None, /) -> Access | None: ...


def declared_access(_: Kind, __: str, declared: Access | None) -> Access | None:
    """Returns the declared access: that of an installation whose settings change nothing."""
    return declared


def security_of(access: Access | None) -> dict[str, Any]:
    """Returns the part of an operation that names the roles and scopes with access."""
    if access is None:
        return {}
    return {"security": [{"token": sorted(access.roles | access.scopes)}]}


def problem_responses(errors: Iterable[type[CaudalError]], *statuses: int, dialect: Dialect | None = None) -> dict[str, Any]:
    """Returns the responses for errors, each a problem document, with the kinds of errors of each status.

    ``statuses`` are further ones, which the server answers with before a request reaches an endpoint. With a ``dialect``
    each error has its body and status as well.
    """
    found: dict[int, list[str]] = {status: [] for status in statuses}
    contents: dict[int, dict[str, Any]] = {status: dict(_PROBLEM) for status in statuses}
    headers: dict[int, list[Mapping[str, Any]]] = {}
    for error in errors:
        meaning, usual = " ".join((error.__doc__ or "").split()), status_of(error.kind)
        answers = [(usual, _PROBLEM)]
        if dialect is not None:
            answers.append((dialect.status_of(error.kind, usual), {"application/json": {"schema": schema_of(dialect.model)}}))
        for status, content in answers:
            contents.setdefault(status, {}).update(content)
        for status in sorted({status for status, _ in answers}):
            found.setdefault(status, []).append(f"`{type_of(error.kind)}`: {meaning}")
            headers.setdefault(status, []).append(_HEADERS.get(usual, {}))
    return {
        str(status): {
            "description": "\n\n".join([f"{TITLES[status]}.", *kinds]),
            **_merged(headers.get(status, ())),
            "content": contents[status],
        }
        for status, kinds in sorted(found.items())
    }


def _merged(headers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the headers of a status from those of each kind of error; one that some kinds lack is not required."""
    merged: dict[str, Any] = {}
    for name, header in (item for of_kind in headers for item in of_kind.items()):
        merged[name] = {**header, "required": all(name in of_kind for of_kind in headers)}
    return {"headers": merged} if merged else {}


_PROBLEM = {PROBLEM_TYPE: {"schema": schema_of(Problem)}}


def _header(description: str, type: str = "string") -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": type}}


_CHALLENGE = {"WWW-Authenticate": _header("What a token lacks (RFC 6750).")}
_RETRY = {"Retry-After": _header("Seconds after which a repeat may succeed.", "integer")}
_HEADERS = {401: _CHALLENGE, 403: _CHALLENGE, 429: _RETRY, 503: _RETRY}


def document(
    title: str,
    description: str,
    paths: Mapping[str, Any],
    *,
    schemas: Mapping[str, Any] | None = None,
    rules: Sequence[str] = (),
) -> dict[str, Any]:
    """Returns an OpenAPI 3.1 document as JSON values, with the schemas of its classes beside the given ``schemas``.

    ``rules`` are those that its schemas do not state and that hold for every operation. Two classes of one name get names
    with their modules.
    """
    references, of_models = model_schemas(_models(paths))
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "0.1.0", "description": description, RULES: list(rules)},
        "paths": _with_references(paths, references),
        "components": {"schemas": {**of_models, **(schemas or {})}, "securitySchemes": {"token": bearer}},
    }


def _models(value: Any) -> Iterator[type[BaseModel]]:
    if isinstance(value, ModelSchema):
        yield value.model
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _models(inner)


def _with_references(value: Any, references: Mapping[type[BaseModel], Any]) -> Any:
    if isinstance(value, ModelSchema):
        return references[value.model]
    if isinstance(value, Mapping):
        return {name: _with_references(inner, references) for name, inner in value.items()}
    return [_with_references(inner, references) for inner in value] if isinstance(value, list) else value


def documentation_routes(title: str, describe: Describe) -> list[BaseRoute]:
    """Returns the routes ``/openapi.json``, ``/docs`` with the files of the page, and ``/``, which redirects there."""
    described = cache(describe)

    async def openapi(_: Request) -> Response:
        return JsonResponse(described())

    async def docs(_: Request) -> Response:
        return HTMLResponse(_PAGE.format(title=title))

    async def root(_: Request) -> Response:
        return RedirectResponse("docs")

    return [
        Route("/", root),
        Route("/openapi.json", openapi),
        Route("/docs", docs),
        Mount("/docs/files", StaticFiles(directory=_swagger_ui())),
    ]


def _swagger_ui() -> Path:
    package = find_spec("swagger_ui")
    if package is None or not package.submodule_search_locations:
        raise Misconfigured("the package swagger-ui-py is not installed: run `pip install swagger-ui-py`")
    return Path(package.submodule_search_locations[0], "static")
