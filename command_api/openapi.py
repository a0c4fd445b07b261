"""The command API's description of itself."""

from collections.abc import Mapping
from typing import Any

from command_api.batch import MEDIA_TYPE, BatchLine
from command_api.routes import CommandRoute
from schemas.catalog import Catalog, ContextName
from schemas.message import Command
from schemas.problem import TITLES, Problem
from streams.documentation import document, schema_of

TITLE = "Caudal: command API"
_ERRORS = (400, 409, 412, 413, 415, 422, 428, 503)
_HEADERS = (
    ("Idempotency-Key", "Makes a repeat safe: a command with a known key gets the first answer again."),
    ("X-Command-Id", "A UUID of the sender's, in the place of a key."),
    ("If-Match", "The version, as ETag, that the command's stream must have; * for any, of a stream that exists."),
    ("If-None-Match", "*: the command's stream must not exist."),
    ("X-Actor", "Who sends the command; recorded with its events, not checked."),
    ("X-Correlation-Id", "Shared by everything that the request sets off; made up where it is missing."),
)


def describe(catalog: Catalog, systems: Mapping[str, tuple[CommandRoute, ...]]) -> dict[str, Any]:
    """The OpenAPI document of every command and every path of a system's own."""
    paths: dict[str, Any] = {}
    for context, command in catalog.commands():
        paths[f"/commands/{context.system}/{command.message_name}"] = {"post": _operation(context, command, "")}
    for routes in systems.values():
        for route in routes:
            operation = _operation(catalog.context_of(route.command), route.command, route.path)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return document(TITLE, "Commands in, events recorded. Every error is a problem document (RFC 9457).", paths)


def _operation(context: ContextName, command: type[Command], path: str) -> dict[str, Any]:
    return {
        "operationId": f"{context.system}_{command.message_name}{path.replace('/', '_')}",
        "summary": (command.__doc__ or command.__name__).splitlines()[0],
        "tags": [str(context)],
        "parameters": [
            {"name": name, "in": "header", "required": False, "description": why, "schema": {"type": "string"}}
            for name, why in _HEADERS
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema_of(command)},
                MEDIA_TYPE: {"schema": schema_of(BatchLine)},
            },
        },
        "responses": {
            "200": _done("Done; the stream was there before, or there was nothing to record."),
            "201": _done("Done; a new stream was begun."),
            **{str(status): _problem(TITLES[status]) for status in _ERRORS},
        },
    }


def _done(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {
            "ETag": {"description": "The stream's version.", "schema": {"type": "string"}},
            "Consistency-Token": {
                "description": "Hand it to the query API, and it waits until the view has seen this write.",
                "schema": {"type": "string"},
            },
        },
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema_of(Problem)}},
    }
