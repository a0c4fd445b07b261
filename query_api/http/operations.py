"""The parts of an OpenAPI operation that reads something."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import ARRAY, TypeEngine

from query_api.views.catalog_of_views import NO_PARTITION
from query_api.views.page_request import MAX_SORT_COLUMNS, SORTED_TWICE
from query_api.views.paging import DEFAULT_LIMIT, MAX_LIMIT, NO_CURSOR, parameter_rule
from query_api.views.values import TEXT_SCHEMA, allowed_values, schema_of_column
from schemas.access import Access
from schemas.clients.dialect import Dialect
from schemas.consistency_token import MAX_TOKENS
from schemas.errors import (
    CaudalError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    NotYetSeen,
    Overloaded,
    Raced,
    TooCostly,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    ViewOutdated,
)
from schemas.sensitive import encrypted_fields
from schemas.system import ContextName
from schemas.values.stated import RULES
from schemas.view import View
from streams.database.view_tables import column_type
from streams.http.documentation import problem_responses, schema_of, security_of

Errors = tuple[type[CaudalError], ...]
_ERRORS: Errors = (Malformed, Unauthenticated, Forbidden, TooManyRequests, Invalid, Unavailable, Raced, Overloaded)
"""Errors that every operation may answer with."""
OF_VIEWS: Errors = (NotFound, NotYetSeen, ViewOutdated)
_OF_THE_SERVER = (408, 421, 431, 500)
"""Statuses of requests that are too slow, name a host that is not allowed or have too large headers, and of faults."""


def operation(
    operation_id: str,
    tag: str,
    summary: str,
    parameters: Iterable[Mapping[str, Any]],
    body: Any,
    errors: Errors = (),
    dialect: Dialect | None = None,
) -> dict[str, Any]:
    """Returns an operation that answers with JSON.

    ``errors`` are those beside the ones that each operation may have; a ``dialect`` has other bodies for all of them.
    """
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "Found.", "content": {"application/json": {"schema": body}}},
            **problem_responses((*_ERRORS, *errors), *_OF_THE_SERVER, dialect=dialect),
        },
    }


def page_operation(
    operation_id: str,
    tag: str,
    summary: str,
    view: type[View],
    in_path: Sequence[str],
    model: type[BaseModel],
    *,
    access: Access | None,
    limit: int = DEFAULT_LIMIT,
    dialect: Dialect | None = None,
    rejections: Errors = (),
    reply: type[BaseModel] | None = None,
) -> dict[str, Any]:
    """Returns the operation of a page of rows, which takes filters of every column that the path does not fix.

    The answer is a list of the ``model``, or a ``reply``.
    """
    parameters = [*_in_path(view, in_path), _sort(view), *_paging(limit), *_filters(view, in_path), CONSISTENCY_TOKEN, PREFER]
    body = {"type": "array", "items": schema_of(model)} if reply is None else schema_of(reply)
    described = operation(operation_id, tag, summary, parameters, body, (*OF_VIEWS, TooCostly, *rejections), dialect)
    described["responses"]["200"]["headers"] = {"Link": NEXT}
    return {**described, **_of_view(view, access)}


def row_operation(
    operation_id: str,
    tag: str,
    summary: str,
    view: type[View],
    in_path: Sequence[str],
    model: type[BaseModel],
    *,
    access: Access | None,
    reserved: str | None = None,
    dialect: Dialect | None = None,
    rejections: Errors = (),
) -> dict[str, Any]:
    """Returns the operation of one row; a row whose key is ``reserved`` has no path, and is found by a filter alone."""
    in_url = _in_path(view, in_path)
    if reserved is not None and in_url[-1]["schema"] == TEXT_IN_PATH:
        in_url[-1]["schema"] = {**TEXT_IN_PATH, "not": {"const": reserved}}
    return {
        **operation(
            *(operation_id, tag, summary, [*in_url, CONSISTENCY_TOKEN, PREFER], schema_of(model)),
            (*OF_VIEWS, *rejections),
            dialect,
        ),
        **_of_view(view, access),
    }


def live_view_operation(operation_id: str, tag: str, summary: str, view: type[View], access: Access | None) -> dict[str, Any]:
    """Returns the operation of a live view."""
    described = live_operation(operation_id, tag, summary, [CONSISTENCY_TOKEN, PREFER], None, OF_VIEWS)
    return {**described, **_of_view(view, access)}


def live_operation(
    operation_id: str, tag: str, summary: str, parameters: Iterable[Mapping[str, Any]], id_pattern: str | None, errors: Errors
) -> dict[str, Any]:
    """Returns an operation that answers with server-sent events, whose ids match a pattern."""
    schema = None if id_pattern is None else {"type": "string", "pattern": id_pattern}
    resume = parameter("Last-Event-ID", "header", "The id of the last event that the client has, after a break.", schema)
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "parameters": [*parameters, resume],
        "responses": {
            "200": {"description": "A stream of events without an end.", "content": {"text/event-stream": {}}},
            **problem_responses((*_ERRORS, *errors), *_OF_THE_SERVER),
        },
    }


def parameter(name: str, where: str, description: str, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns a parameter in the path, in the query or in a header; text unless a schema says otherwise."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string"} if schema is None else dict(schema),
    }


CONSISTENCY_TOKEN = parameter(
    "Consistency-Token",
    "header",
    "From the command API's answers, several with commas: the read waits until the view has seen those writes.",
    {"$ref": "#/components/schemas/ConsistencyToken"},
)
PREFER = parameter(
    "Prefer",
    "header",
    "`wait=2`: seconds to wait at most for the tokens. `handling=lenient`: then answer with what the view has (RFC 7240).",
)
CURSOR = {"type": "string", "pattern": "^[A-Za-z0-9_-]*$", RULES: [parameter_rule("after", NO_CURSOR)]}
NEXT = {"description": "The next page, unless this is the last one.", "schema": {"type": "string"}}
TEXT_IN_PATH = {**TEXT_SCHEMA, "minLength": 1}


def _paging(limit: int) -> Sequence[dict[str, Any]]:
    schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": limit}
    return (
        parameter("limit", "query", "Rows of a page.", schema),
        parameter("after", "query", "The cursor of the next page, which the `Link` header of the page before has.", CURSOR),
    )


def token_schema(contexts: Iterable[ContextName]) -> dict[str, Any]:
    """Returns the schema of the consistency tokens of contexts."""
    names = "|".join(sorted(re.escape(str(name)) for name in contexts))
    token = f"({names})/[0-9]{{1,5}}@[0-9]{{1,18}}"
    return {
        "type": "string",
        "pattern": f"^{token}(, {token}){{0,{MAX_TOKENS - 1}}}$",
        RULES: [NO_PARTITION],
        "description": "Positions, each in one partition of one context's log.",
    }


def _sort(view: type[View]) -> dict[str, Any]:
    columns = "|".join(name for name in _readable(view) if not isinstance(_type_of(view, name), JSONB | ARRAY))
    return parameter(
        "sort",
        "query",
        "Columns, separated by commas; a minus sign before a column sorts it in descending order.",
        {
            "type": "string",
            "pattern": f"^-?({columns})(,-?({columns})){{0,{MAX_SORT_COLUMNS - 1}}}$",
            RULES: [parameter_rule("sort", SORTED_TWICE)],
        },
    )


def _of_view(view: type[View], access: Access | None) -> dict[str, Any]:
    # Rows with owners need a caller even if the view is open to every caller, unless it says otherwise.
    needed = Access() if access is None and view.view_rows is not None and not view.view_rows.open_rows else access
    return {"description": inspect.getdoc(view) or "", **security_of(needed)}


def _in_path(view: type[View], names: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the parameters of a path, of which one that names no column is the key of a row."""
    described = []
    for name in names:
        schema = schema_of_column(_type_of(view, name if name in view.model_fields else view.view_key))
        described.append(parameter(name, "path", "", TEXT_IN_PATH if schema == TEXT_SCHEMA else schema))
    return described


def _readable(view: type[View]) -> list[str]:
    encrypted = set(encrypted_fields(view))
    return [name for name in view.model_fields if name not in encrypted]


def _filters(view: type[View], fixed: Sequence[str]) -> list[dict[str, Any]]:
    return [found for name in _readable(view) if name not in fixed and (found := _filter(view, name)) is not None]


def _filter(view: type[View], name: str) -> dict[str, Any] | None:
    type_of_column = _type_of(view, name)
    if isinstance(type_of_column, JSONB):
        return None
    if isinstance(type_of_column, ARRAY):
        return parameter(f"{name}[has]", "query", f"Only rows whose {name} contain this text.", TEXT_SCHEMA)
    schema = schema_of_column(type_of_column, allowed_values(view, name))
    return parameter(name, "query", f"Only rows with this {name}; `{name}[gte]=…` and others compare.", schema)


def _type_of(view: type[View], name: str) -> TypeEngine[Any]:
    return column_type(view.model_fields[name].annotation)
