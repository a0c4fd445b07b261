"""Documentation pages: an OpenAPI document and Swagger UI for it, served without other hosts."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from schemas.access import Access
from schemas.errors import Misconfigured
from streams.http.examples import add_examples
from streams.http.problems import TITLES, Problem
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
"""Returns an OpenAPI document that may hold pydantic classes in place of schemas (`schema_of`)."""


def schema_of(model: type[BaseModel]) -> Any:
    """Returns a pydantic class as a placeholder for its schema."""
    from openapi_pydantic.util import PydanticSchema  # imported for a document only, not at every start

    return PydanticSchema(schema_class=model)


def security_of(access: Access | None) -> dict[str, Any]:
    """Returns the part of an operation that names the roles and scopes with access."""
    if access is None:
        return {}
    return {"security": [{"token": sorted(access.roles | access.scopes)}]}


def problem_responses(*statuses: int) -> dict[str, Any]:
    """Returns the responses for errors, each a problem document."""
    content = {"application/problem+json": {"schema": schema_of(Problem)}}
    return {str(status): {"description": TITLES[status], "content": content} for status in statuses}


def document(title: str, description: str, paths: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an OpenAPI 3.1 document as JSON values, with the schemas of its classes."""
    from openapi_pydantic import OpenAPI
    from openapi_pydantic.util import construct_open_api_with_schema_class

    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    info = {"title": title, "version": "0.1.0", "description": description}
    described = OpenAPI.model_validate(
        {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"securitySchemes": {"token": bearer}}}
    )
    whole = construct_open_api_with_schema_class(described)
    made: dict[str, Any] = whole.model_dump(by_alias=True, exclude_none=True, mode="json")
    add_examples(made["components"].get("schemas", {}))
    return made


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
