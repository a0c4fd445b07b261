"""The OpenAPI document of the query API: views, the audit, and the systems' own queries."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any

from query_api.audit.live_log import ID_PATTERN
from query_api.http.audit_paths import AUDIT_PATHS, POSITION
from query_api.http.index import IndexedLog, IndexedView
from query_api.http.operations import (
    OF_VIEWS,
    TEXT_IN_PATH,
    live_operation,
    live_view_operation,
    operation,
    page_operation,
    parameter,
    row_operation,
    token_schema,
)
from query_api.queries.query import Query
from query_api.queries.question import OwnQuery, Question
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.errors import CaudalError, NotAsSigned, NotFound, TooCostly
from schemas.system import ContextName
from schemas.values.stated import RULES
from schemas.view import View
from streams.http.documentation import Effective, declared_access, document, schema_of, security_of

TITLE = "Caudal: query API"
_DESCRIPTION = f"""Views of now, and the history behind them. Every error is a problem document (RFC 9457).

A request that its schemas allow is rejected as malformed or invalid only by a rule that the operation or a parameter states
as `{RULES}`: the detail of the error begins with the words of the rule."""

_ERRORS_OF_AUDIT: Mapping[str, tuple[type[CaudalError], ...]] = {
    "proof": (NotAsSigned,),
    "state": (TooCostly,),
    "difference": (TooCostly,),
}
"""Errors of paths of the audit, beside those that all have."""
_OF_LOG = {"system": "$request.path.system", "context": "$request.path.context"}
Operations = Iterator[tuple[str, dict[str, Any]]]
"""Paths, each with its GET operation."""


def describe(
    catalog: Catalog, queries: Mapping[str, tuple[OwnQuery, ...]], effective: Effective = declared_access
) -> dict[str, Any]:
    """Returns the OpenAPI document of all that can be read, with its ``effective`` access."""
    paths: dict[str, Any] = {path: {"get": get} for path, get in _operations(catalog, queries, effective)}
    for declared in queries.values():
        _add_links(paths, declared)
    return document(TITLE, _DESCRIPTION, paths, schemas={"ConsistencyToken": token_schema(catalog.contexts)})


def _operations(catalog: Catalog, queries: Mapping[str, tuple[OwnQuery, ...]], effective: Effective) -> Operations:
    yield from _of_indexes()
    for home, view in catalog.views():
        if not view.view_own_paths_only:
            yield from _of_view(home, view, effective)
    yield from _of_audits(catalog, effective)
    for system, declared in queries.items():
        for query in declared:
            if isinstance(query, Question):
                yield _of_question(system, query)
                continue
            yield _of_query(system, query, effective, catalog)


def _of_indexes() -> Operations:
    views = {"type": "array", "items": schema_of(IndexedView)}
    logs = {"type": "array", "items": schema_of(IndexedLog)}
    system = parameter("system", "path", "The name of an installed system.", TEXT_IN_PATH)
    yield "/views", operation("views", "index", "All views.", [], views)
    yield "/views/{system}", operation("views_of_system", "index", "The views of one system.", [system], views, (NotFound,))
    yield "/audit", operation("audit", "index", "All logs.", [], logs)
    yield "/audit/{system}", operation("audit_of_system", "index", "The logs of one system.", [system], logs, (NotFound,))


def _of_view(home: ContextName, view: type[View], effective: Effective) -> Operations:
    system, tag, name, key = home.system, str(home), view.view_name, view.view_key
    access = effective("view", f"{system}.{name}", view.view_access)
    path, operation_id = f"/views/{system}/{name}", f"{system}_{name}"
    row_id = f"{operation_id}_row"
    page = page_operation(operation_id, tag, f"{name}: a page of rows", view, (), view, access=access)
    page["responses"]["200"]["links"] = _link(row_id, "key", f"/0/{key}")
    yield path, page
    summary = f"{name}: one row by its {key}"
    yield f"{path}/{{key}}", row_operation(row_id, tag, summary, view, ("key",), view, reserved="live", access=access)
    live = f"{name}: rows when they change, as server-sent events"
    yield f"{path}/live", live_view_operation(f"{operation_id}_live", tag, live, view, access)


def _of_query(system: str, query: Query, effective: Effective, catalog: Catalog) -> tuple[str, dict[str, Any]]:
    home = catalog.context_of_view(query.view)
    access = effective("view", f"{home.system}.{query.view.view_name}", query.view.view_access)
    rejections = catalog.context(home).rejections
    tag = str(home) if home.system == system else system
    parts = (_id(query), tag, query.summary, query.view, query.path_parameters)
    how: dict[str, Any] = {"access": access, "dialect": query.errors, "rejections": rejections}
    if query.reply is not None and not query.is_page:
        described = row_operation(*parts, query.reply, **how)
    elif query.key is None:
        described = page_operation(*parts, query.model, **how, limit=query.limit, reply=query.reply)
    else:
        described = row_operation(*parts, query.model, **how)
    described["parameters"] = [
        *described["parameters"],
        *(
            parameter(name, "query", "A filter in the clients' words.", {"type": "string", "enum": list(words)})
            for name, words in query.words.items()
        ),
    ]
    if query.media_type is not None:
        described["responses"]["200"]["content"] = {query.media_type: {"schema": {"type": "string", "format": "binary"}}}
    if query.empty is not None:
        content = described["responses"]["200"]["content"]["application/json"]
        content["schema"] = {"anyOf": [content["schema"], schema_of(type(query.empty))]}
    if query.handler is not None:  # it may read more than the engine would: a number in the place of an id
        for one in described["parameters"]:
            if one["in"] == "path":
                one["schema"] = TEXT_IN_PATH
    return _without_convertors(query.path), described


def _of_question(system: str, question: Question) -> tuple[str, dict[str, Any]]:
    text = {"type": "string", "pattern": "^[!-~]+$"}
    headers = [{**parameter(name, "header", why, text), "required": True} for name, why in question.headers.items()]
    body, errors = schema_of(question.shape), (*OF_VIEWS, TooCostly)
    described = operation(_id(question), system, question.summary, headers, body, errors, question.errors)
    return question.path, {**described, **security_of(question.access)}


def _id(query: OwnQuery) -> str:
    return re.sub(r"\W+", "_", query.path).strip("_")


def _add_links(paths: Mapping[str, Any], queries: Sequence[OwnQuery]) -> None:
    """Links each page of a system's own with the queries of one of its rows: ``/partners`` with ``/partners/{id}``."""
    of_views = [query for query in queries if isinstance(query, Query)]
    for page, row in product(of_views, of_views):
        if page.key is None and page.reply is None and row.key is not None and page.view is row.view:
            field = row.key if row.key in page.model.model_fields else page.view.view_key
            success = paths[_without_convertors(page.path)]["get"]["responses"]["200"]
            success["links"] = _link(_id(row), row.key, f"/0/{field}")


def _link(operation_id: str, parameter: str, pointer: str, further: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """Returns the link to an operation whose parameter is a value of the answer; ``further`` parameters have expressions."""
    return {operation_id: {"operationId": operation_id, "parameters": {parameter: f"$response.body#{pointer}", **further}}}


def _of_audits(catalog: Catalog, effective: Effective) -> Operations:
    """Yields the paths of the audit, which are the same for every log: they are described once, with the logs as values."""
    accesses = {name: effective("audit", str(name), context.audit) for name, context in catalog.contexts.items()}
    names = {
        "system": ("The system.", {"type": "string", "enum": sorted({name.system for name in accesses})}),
        "context": ("The context whose log it is.", {"type": "string", "enum": sorted({name.context for name in accesses})}),
    }
    of_log = [parameter(name, "path", *described) for name, described in names.items()]
    who = {"description": _readers(accesses), **_security(accesses.values())}
    for one in AUDIT_PATHS:
        path = _without_convertors(one.path)
        in_path = [
            parameter(name, "path", "", POSITION if name == "position" else TEXT_IN_PATH)
            for name in re.findall(r"{(\w+)}", path)
        ]
        in_query = [parameter(each.name, "query", each.description, each.schema) for each in one.parameters]
        errors: tuple[type[CaudalError], ...] = (NotFound, *_ERRORS_OF_AUDIT.get(one.name, ()))
        parts = (f"audit_{one.name}", "audit", one.summary, [*of_log, *in_path, *in_query])
        described = live_operation(*parts, ID_PATTERN, errors) if one.is_live else operation(*parts, {"type": "object"}, errors)
        if one.rules:
            described[RULES] = list(one.rules)
        if one.name == "events":
            success = described["responses"]["200"]
            success["content"]["application/x-ndjson"] = {"schema": {"type": "array", "items": {"type": "object"}}}
            success["links"] = _link("audit_causation", "position", "/events/0/position", _OF_LOG)
            for of_stream in ("history", "state", "difference", "proof"):
                success["links"] |= _link(f"audit_{of_stream}", "stream", "/events/0/stream", _OF_LOG)
        yield f"/audit/{{system}}/{{context}}/{path}", {**described, **who}


def _readers(accesses: Mapping[ContextName, Access | None]) -> str:
    """Returns who may read which logs, in words."""
    logs: dict[str, list[str]] = {}
    for name, access in accesses.items():
        who = (
            "Everybody"
            if access is None
            else " or ".join(f"`{one}`" for one in sorted(access.roles | access.scopes)) or "Callers"
        )
        logs.setdefault(who, []).append(str(name))
    return "\n\n".join(f"{who} may read {', '.join(sorted(names))}." for who, names in sorted(logs.items()))


def _security(accesses: Iterable[Access | None]) -> dict[str, Any]:
    """Returns the part of an operation that names the roles of which a log needs one, as alternatives."""
    alternatives: list[Any] = []
    for access in accesses:
        (needed,) = security_of(access).get("security", [{}])
        if needed not in alternatives:
            alternatives.append(needed)
    return {} if alternatives in ([], [{}]) else {"security": alternatives}


def _without_convertors(path: str) -> str:
    """Returns a path as OpenAPI writes it: ``{name}`` for ``{name:path}``."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)
