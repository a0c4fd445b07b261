"""The query API's description of itself."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB

from query_api.http.parameters import DEFAULT_LIMIT, MAX
from query_api.http.routes import QueryRoute
from query_api.views.reader import known_values
from schemas.catalog import Catalog
from schemas.sensitive import encrypted_fields
from schemas.view import View
from streams.database.view_tables import column_type
from streams.http.documentation import document, schema_of, security_of
from streams.http.problems import TITLES, Problem

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
    ("limit", "Rows of a page.", {"type": "integer", "minimum": 1, "maximum": MAX, "default": DEFAULT_LIMIT}),
    ("after", "Cursor of the page before; the `Link` header has it.", {"type": "string"}),
)


def describe(catalog: Catalog, systems: Mapping[str, tuple[QueryRoute, ...]]) -> dict[str, Any]:
    """The OpenAPI document of every view, the audit, and every path of a system's own."""
    paths: dict[str, Any] = {}
    for home, view in catalog.views():
        if view.view_own_paths_only:
            continue
        path, tag = f"/views/{home.system}/{view.view_name}", home.system
        paths[path] = {"get": _rows(f"{tag}_{view.view_name}", tag, "A page of the view.", view)}
        paths[f"{path}/{{key}}"] = {"get": _row(f"{tag}_{view.view_name}_row", tag, "One row of the view.", view, "key")}
        paths[f"{path}/live"] = {"get": _live(f"{tag}_{view.view_name}_live", tag)}
    for context, declared in catalog.contexts.items():
        for path, operation in _audit(f"audit_{context.system}_{context.context}").items():
            paths[f"/audit/{context.system}/{context.context}/{path}"] = {"get": {**operation, **security_of(declared.audit)}}
    for system, routes in systems.items():
        for route in routes:
            view, operation_id = catalog.view(system, route.view), re.sub(r"\W+", "_", route.path).strip("_")
            keys = re.findall(r"{(\w+)(?::path)?}", route.path)
            make = _row if route.one else _rows
            operation = make(operation_id, system, route.summary, view, *keys, shows=route.shows)
            paths[route.path.replace(":path", "")] = {"get": operation}
    return document(TITLE, "Views as they stand, and the history behind them.", paths)


def _rows(
    operation_id: str, tag: str, summary: str, view: type[View], *keys: str, shows: type[BaseModel] | None = None
) -> dict[str, Any]:
    encrypted = set(encrypted_fields(view))
    filters = [
        _parameter(
            name,
            "query",
            f"Only rows with this {name}; `{name}[gte]=…` and the like compare.",
            _one_of(known_values(view, name)),
        )
        for name in view.model_fields
        if name not in keys and name not in encrypted and not isinstance(column_type(view.model_fields[name].annotation), JSONB)
    ]
    paging = [_parameter(name, "query", why, schema) for name, why, schema in _PAGING]
    body = {"type": "array", "items": schema_of(shows or view)}
    parameters = [*_in_path(keys), *paging, *filters]
    return {**_operation(operation_id, tag, summary, parameters, body, 422, 503), **security_of(view.view_access)}


def _row(
    operation_id: str, tag: str, summary: str, view: type[View], *keys: str, shows: type[BaseModel] | None = None
) -> dict[str, Any]:
    operation = _operation(operation_id, tag, summary, _in_path(keys), schema_of(shows or view), 404, 422, 503)
    return {**operation, **security_of(view.view_access)}


def _live(operation_id: str, tag: str) -> dict[str, Any]:
    resume = _parameter("Last-Event-ID", "header", "Where to go on after a break.", {"type": "string"})
    return {
        "operationId": operation_id,
        "summary": "Rows of the view as they change, as server-sent events.",
        "tags": [tag],
        "parameters": [resume, _TOKEN],
        "responses": {
            "200": {"description": "Never ends.", "content": {"text/event-stream": {}}},
            **_problems(400, 401, 403, 422, 429, 500, 503),
        },
    }


_AUDIT: tuple[tuple[str, str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "streams/{stream}",
        "history",
        "A stream's events, as recorded.",
        (("after", "integer", "The version after which to begin."), ("limit", "integer", "Events of a page.")),
    ),
    (
        "states/{stream}",
        "state",
        "A stream's aggregate as it was at a version or a time, or as it is.",
        (("version", "integer", "After which of its events."), ("at", "string", "At which time, with its offset.")),
    ),
    (
        "differences/{stream}",
        "difference",
        "What changed in a stream's aggregate between two versions (JSON Patch), and the events that did it.",
        (("from", "integer", "The earlier version; the one before `to`."), ("to", "integer", "The later one; the newest.")),
    ),
    (
        "proofs/{stream}",
        "proof",
        "A stream's events with the proof that the signed log holds them.",
        (("after", "integer", "The version after which to begin."), ("limit", "integer", "Events of a proof.")),
    ),
    (
        "events",
        "events",
        "The log's events: pages, or all of them with `Accept: application/x-ndjson`.",
        (
            ("from", "string", "The first position, or a time."),
            ("to", "string", "The last position, or a time up to which."),
            ("stream", "string", "Only events of this stream."),
            ("type", "string", "Only events of this type; may be repeated."),
            ("correlation_id", "string", "Only events of this correlation."),
            ("after", "integer", "The position after which to begin; the `Link` header has it."),
            ("limit", "integer", "Events of a page."),
        ),
    ),
    (
        "events/{position}/causation",
        "causation",
        "The event at a position in the tree of what led to it and what came of it.",
        (),
    ),
)


def _audit(prefix: str) -> dict[str, dict[str, Any]]:
    found = {}
    for path, name, summary, asked in _AUDIT:
        parameters = [*_in_path(tuple(re.findall(r"{(\w+)}", path)))]
        parameters += [_parameter(one, "query", why, {"type": kind}) for one, kind, why in asked]
        errors = (404, 409, 422, 503) if name == "proof" else (404, 422, 503)
        operation = _operation(f"{prefix}_{name}", "audit", summary, parameters, {"type": "object"}, *errors)
        if name == "events":
            operation["responses"]["200"]["content"]["application/x-ndjson"] = {"schema": {"type": "object"}}
        found[path] = {**operation, "parameters": parameters}
    return found


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
            **_problems(400, 401, 403, 429, 500, *errors),
        },
    }


def _in_path(keys: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{**_parameter(key, "path", "", {"type": "string"}), "required": True} for key in keys]


def _one_of(known: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(known)} if known else {"type": "string"}


def _parameter(name: str, where: str, why: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": where, "required": False, "description": why, "schema": schema}


def _problems(*statuses: int) -> dict[str, Any]:
    schema = schema_of(Problem)
    return {
        str(status): {"description": TITLES[status], "content": {"application/problem+json": {"schema": schema}}}
        for status in statuses
    }
