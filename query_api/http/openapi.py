"""The OpenAPI document of the query API: views, the audit, and the systems' own queries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from query_api.http.audit_paths import AUDIT_PATHS, AuditPath
from query_api.http.index import IndexedLog, IndexedView
from query_api.http.operations import live_operation, operation, page_operation, parameter, row_operation
from query_api.queries.query import Query
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.system import ContextName
from schemas.view import View
from streams.http.documentation import document, schema_of, security_of

TITLE = "Caudal: query API"

Operations = Iterator[tuple[str, dict[str, Any]]]
"""Paths, each with its GET operation."""


def describe(catalog: Catalog, queries: Mapping[str, tuple[Query, ...]]) -> dict[str, Any]:
    """Returns the OpenAPI document of all that can be read."""
    paths: dict[str, Any] = {}
    for path, get in _operations(catalog, queries):
        paths[path] = {"get": get}
    return document(TITLE, "Views of now, and the history behind them.", paths)


def _operations(catalog: Catalog, queries: Mapping[str, tuple[Query, ...]]) -> Operations:
    yield from _of_indexes()
    for home, view in catalog.views():
        if not view.view_own_paths_only:
            yield from _of_view(home.system, view)
    for name, context in catalog.contexts.items():
        for audit_path in AUDIT_PATHS:
            yield _of_audit(name, audit_path, context.audit)
    for system, declared in queries.items():
        for query in declared:
            yield _of_query(system, query)


def _of_indexes() -> Operations:
    views = {"type": "array", "items": schema_of(IndexedView)}
    logs = {"type": "array", "items": schema_of(IndexedLog)}
    system = parameter("system", "path", "The name of an installed system.")
    yield "/views", operation("views", "index", "All views.", [], views, 422, 503)
    yield "/views/{system}", operation("views_of_system", "index", "The views of one system.", [system], views, 404, 422, 503)
    yield "/audit", operation("audit", "index", "All logs.", [], logs, 422, 503)
    yield "/audit/{system}", operation("audit_of_system", "index", "The logs of one system.", [system], logs, 404, 422, 503)


def _of_view(system: str, view: type[View]) -> Operations:
    name, key = view.view_name, view.view_key
    path, operation_id = f"/views/{system}/{name}", f"{system}_{name}"
    yield path, page_operation(operation_id, system, f"{name}: a page of rows", view, (), view)
    yield f"{path}/{{key}}", row_operation(f"{operation_id}_row", system, f"{name}: one row by its {key}", view, ("key",), view)
    live = f"{name}: rows when they change, as server-sent events"
    yield f"{path}/live", live_operation(f"{operation_id}_live", system, live, view)


def _of_query(system: str, query: Query) -> tuple[str, dict[str, Any]]:
    operation_id = re.sub(r"\W+", "_", query.path).strip("_")
    make = page_operation if query.key is None else row_operation
    path = _without_convertors(query.path)
    return path, make(operation_id, system, query.summary, query.view, query.path_parameters, query.model)


def _of_audit(context: ContextName, audit_path: AuditPath, access: Access | None) -> tuple[str, dict[str, Any]]:
    path = _without_convertors(audit_path.path)
    in_path = [parameter(name, "path", "") for name in re.findall(r"{(\w+)}", path)]
    in_query = [parameter(one.name, "query", one.description, {"type": one.type}) for one in audit_path.parameters]
    name, summary = f"audit_{context.system}_{context.context}_{audit_path.name}", f"{context}: {audit_path.summary}"
    errors = (404, 409, 422, 503) if audit_path.name == "proof" else (404, 422, 503)
    described = operation(name, "audit", summary, [*in_path, *in_query], {"type": "object"}, *errors)
    if audit_path.name == "events":
        described["responses"]["200"]["content"]["application/x-ndjson"] = {"schema": {"type": "object"}}
    return f"/audit/{context.system}/{context.context}/{path}", {**described, **security_of(access)}


def _without_convertors(path: str) -> str:
    """Returns a path as OpenAPI writes it: ``{name}`` for ``{name:path}``."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)
