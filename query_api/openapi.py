"""The query API's description of itself."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB

from query_api.routes import QueryRoute
from query_api.views import DEFAULT_LIMIT, MOST
from schemas.catalog import Catalog
from schemas.problem import TITLES, Problem
from schemas.view import View
from streams.documentation import document, schema_of
from streams.view_table import column_type

TITLE = "Caudal: query API"
_TOKEN = {
    "name": "Consistency-Token",
    "in": "header",
    "required": False,
    "description": "From the command API's answer: the read waits until the view has seen that write.",
    "schema": {"type": "string"},
}
_PAGING = (
    ("sort", "Columns, separated by commas; a minus sign in front of one sorts it downwards.", {"type": "string"}),
    ("limit", "Rows of a page.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT}),
    ("after", "Cursor of the page before; the `Link` header has it.", {"type": "string"}),
)


def describe(catalog: Catalog, systems: Mapping[str, tuple[QueryRoute, ...]]) -> dict[str, Any]:
    """The OpenAPI document of every view, the audit, and every path of a system's own."""
    paths: dict[str, Any] = {}
    for home, view in catalog.views():
        path, tag = f"/views/{home.system}/{view.view_name}", home.system
        paths[path] = {"get": _rows(f"{tag}_{view.view_name}", tag, "A page of the view.", view)}
        paths[f"{path}/{{key}}"] = {"get": _row(f"{tag}_{view.view_name}_row", tag, "One row of the view.", view, "key")}
        paths[f"{path}/live"] = {"get": _live(f"{tag}_{view.view_name}_live", tag)}
    for context in catalog.contexts:
        path = f"/audit/{context.system}/{context.context}/streams/{{stream}}"
        paths[path] = {"get": _history(f"audit_{context.system}_{context.context}")}
    for system, routes in systems.items():
        for route in routes:
            view, operation_id = catalog.view(system, route.view), re.sub(r"\W+", "_", route.path).strip("_")
            keys = re.findall(r"{(\w+)(?::path)?}", route.path)
            one = view.view_key in keys
            make = _row if one else _rows
            paths[route.path.replace(":path", "")] = {"get": make(operation_id, system, route.summary, view, *keys)}
    return document(TITLE, "Views as they stand, and the history behind them.", paths)


def _rows(operation_id: str, tag: str, summary: str, view: type[View], *keys: str) -> dict[str, Any]:
    filters = [
        _parameter(name, "query", f"Only rows with this {name}; `{name}[gte]=…` and the like compare.", {"type": "string"})
        for name in view.model_fields
        if name not in keys and not isinstance(column_type(view.model_fields[name].annotation), JSONB)
    ]
    paging = [_parameter(name, "query", why, schema) for name, why, schema in _PAGING]
    body = {"type": "array", "items": schema_of(view)}
    return _operation(operation_id, tag, summary, [*_in_path(keys), *paging, *filters], body, 422, 503)


def _row(operation_id: str, tag: str, summary: str, view: type[View], *keys: str) -> dict[str, Any]:
    return _operation(operation_id, tag, summary, _in_path(keys), schema_of(view), 404, 503)


def _live(operation_id: str, tag: str) -> dict[str, Any]:
    resume = _parameter("Last-Event-ID", "header", "Where to go on after a break.", {"type": "string"})
    return {
        "operationId": operation_id,
        "summary": "Rows of the view as they change, as server-sent events.",
        "tags": [tag],
        "parameters": [resume, _TOKEN],
        "responses": {
            "200": {"description": "Never ends.", "content": {"text/event-stream": {}}},
            **_problems(400, 503),
        },
    }


def _history(operation_id: str) -> dict[str, Any]:
    parameters = [
        *_in_path(("stream",)),
        _parameter("after", "query", "The version after which to begin.", {"type": "integer"}),
        _parameter("limit", "query", "Events of a page.", {"type": "integer", "minimum": 1, "maximum": MOST}),
    ]
    operation = _operation(operation_id, "audit", "A stream's events, as recorded.", parameters, {"type": "object"}, 404, 503)
    return {**operation, "parameters": parameters}


def _operation(
    operation_id: str, tag: str, summary: str, parameters: list[dict[str, Any]], body: Any, *errors: int
) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "parameters": [*parameters, _TOKEN],
        "responses": {
            "200": {"description": "Found.", "content": {"application/json": {"schema": body}}},
            **_problems(400, *errors),
        },
    }


def _in_path(keys: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{**_parameter(key, "path", "", {"type": "string"}), "required": True} for key in keys]


def _parameter(name: str, where: str, why: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": where, "required": False, "description": why, "schema": schema}


def _problems(*statuses: int) -> dict[str, Any]:
    schema = schema_of(Problem)
    return {
        str(status): {"description": TITLES[status], "content": {"application/problem+json": {"schema": schema}}}
        for status in statuses
    }
