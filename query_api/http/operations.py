"""The parts of an OpenAPI operation that reads something."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import ARRAY

from query_api.views.paging import DEFAULT_LIMIT, MAX_LIMIT
from query_api.views.values import allowed_values
from schemas.access import Access
from schemas.sensitive import encrypted_fields
from schemas.view import View
from streams.database.view_tables import column_type
from streams.http.documentation import problem_responses, schema_of, security_of

_ERRORS = (400, 401, 403, 429, 500)
"""Statuses that every operation may answer with."""


def operation(
    operation_id: str, tag: str, summary: str, parameters: Iterable[Mapping[str, Any]], body: Any, *errors: int
) -> dict[str, Any]:
    """Returns an operation that answers with JSON; ``errors`` are statuses beside those that each operation may have."""
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "Found.", "content": {"application/json": {"schema": body}}},
            **problem_responses(*_ERRORS, *errors),
        },
    }


def page_operation(
    operation_id: str, tag: str, summary: str, view: type[View], in_path: Sequence[str], model: type[BaseModel]
) -> dict[str, Any]:
    """Returns the operation of a page of rows, which takes filters of every column that the path does not fix."""
    parameters = [*_in_path(in_path), *_PAGING, *_filters(view, in_path), CONSISTENCY_TOKEN]
    body = {"type": "array", "items": schema_of(model)}
    return {**operation(operation_id, tag, summary, parameters, body, 404, 422, 503), **_of_view(view)}


def row_operation(
    operation_id: str, tag: str, summary: str, view: type[View], in_path: Sequence[str], model: type[BaseModel]
) -> dict[str, Any]:
    """Returns the operation of one row."""
    parameters = [*_in_path(in_path), CONSISTENCY_TOKEN]
    return {**operation(operation_id, tag, summary, parameters, schema_of(model), 404, 422, 503), **_of_view(view)}


def live_operation(operation_id: str, tag: str, summary: str, view: type[View]) -> dict[str, Any]:
    """Returns the operation of a live view."""
    resume = parameter("Last-Event-ID", "header", "The id of the last event that the client has, after a break.")
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "parameters": [resume, CONSISTENCY_TOKEN],
        "responses": {
            "200": {"description": "A stream of events without an end.", "content": {"text/event-stream": {}}},
            **problem_responses(*_ERRORS, 404, 422, 503),
        },
        **_of_view(view),
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
    "Consistency-Token", "header", "From the command API's answer: the read waits until the view has seen that write."
)
_PAGING = (
    parameter("sort", "query", "Columns, separated by commas; a minus sign before a column sorts it in descending order."),
    parameter(
        "limit", "query", "Rows of a page.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    ),
    parameter("after", "query", "The cursor of the next page, which the `Link` header of the page before has."),
)


def _of_view(view: type[View]) -> dict[str, Any]:
    # Rows with owners need a caller even if the view is open to every caller.
    access = Access() if view.view_access is None and view.view_rows is not None else view.view_access
    return {"description": inspect.getdoc(view) or "", **security_of(access)}


def _in_path(names: Sequence[str]) -> list[dict[str, Any]]:
    return [parameter(name, "path", "") for name in names]


def _filters(view: type[View], fixed: Sequence[str]) -> list[dict[str, Any]]:
    encrypted = set(encrypted_fields(view))
    names = [name for name in view.model_fields if name not in fixed and name not in encrypted]
    return [found for name in names if (found := _filter(view, name)) is not None]


def _filter(view: type[View], name: str) -> dict[str, Any] | None:
    type_of_column = column_type(view.model_fields[name].annotation)
    if isinstance(type_of_column, JSONB):
        return None
    if isinstance(type_of_column, ARRAY):
        return parameter(f"{name}[has]", "query", f"Only rows whose {name} contain this text.")
    allowed = allowed_values(view, name)
    schema = {"type": "string", "enum": list(allowed)} if allowed else None
    return parameter(name, "query", f"Only rows with this {name}; `{name}[gte]=…` and others compare.", schema)
