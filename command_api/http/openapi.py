"""The OpenAPI document of the command API."""

import re
from collections.abc import Mapping
from typing import Any

from command_api.http.batch import MEDIA_TYPE, BatchLine
from command_api.http.paths import OwnPath, QuestionPath, Translation
from schemas.catalog import Catalog
from schemas.message import Command
from schemas.system import ContextName
from streams.http.documentation import document, problem_responses, schema_of, security_of

TITLE = "Caudal: command API"
_ERRORS = (400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428, 429, 500, 503)
_HEADERS = (
    ("Idempotency-Key", "Makes a repeat safe: a command with a known key gets the first answer again."),
    ("X-Command-Id", "A UUID of the sender's, instead of a key."),
    ("If-Match", "The version, as ETag, that the command's stream must have; * for any, of a stream that exists."),
    ("If-None-Match", "*: the command's stream must not exist."),
    ("X-Actor", "Who sends the command, if there is no token; recorded with its events, not verified."),
    ("X-Correlation-Id", "Shared by everything that follows from the request; generated if it is missing."),
)


def describe(catalog: Catalog, systems: Mapping[str, tuple[OwnPath, ...]]) -> dict[str, Any]:
    """Returns the OpenAPI document of every command and every path of a system's own."""
    paths: dict[str, Any] = {}
    for context, command in catalog.commands():
        if not command.internal:
            paths[f"/commands/{context.system}/{command.message_name}"] = {"post": _operation(context, command, "")}
    for system, routes in systems.items():
        for route in routes:
            if isinstance(route, QuestionPath):
                paths[route.path] = {"post": _question(system, route)}
                continue
            operation = _operation(catalog.context_of(route.command), route.command, route.path, route.translation)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return document(TITLE, "Commands in, events recorded. Every error is a problem document (RFC 9457).", paths)


def _question(system: str, route: QuestionPath) -> dict[str, Any]:
    return {
        "operationId": f"{system}{_id(route.path)}",
        "summary": route.summary,
        "tags": [system],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema_of(route.body)}}},
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": schema_of(route.reply)}}},
            **problem_responses(*_ERRORS),
        },
    }


def _id(path: str) -> str:
    return re.sub(r"\W+", "_", path.replace("{", "").replace("}", ""))


def _operation(
    context: ContextName, command: type[Command], path: str, translation: Translation | None = None
) -> dict[str, Any]:
    if translation is None:
        bodies = {"application/json": {"schema": schema_of(command)}, MEDIA_TYPE: {"schema": schema_of(BatchLine)}}
    else:
        bodies = {"application/json": {"schema": schema_of(translation.body)}}
    return {
        "operationId": f"{context.system}_{command.message_name}{_id(path)}",
        "summary": (command.__doc__ or command.__name__).splitlines()[0],
        **security_of(command.command_access),
        "tags": [str(context)],
        "parameters": [
            {"name": name, "in": "header", "required": False, "description": why, "schema": {"type": "string"}}
            for name, why in _HEADERS
        ]
        + [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in re.findall(r"{(\w+)", path)
        ],
        "requestBody": {
            "required": True,
            "content": bodies,
        },
        "responses": {
            "200": _done("Done; the stream existed before, or there was nothing to record."),
            "201": _done("Done; a new stream began."),
            **problem_responses(*_ERRORS),
        },
    }


def _done(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {
            "ETag": {"description": "The stream's version.", "schema": {"type": "string"}},
            "Consistency-Token": {
                "description": "Send it to the query API: the read waits until the view has seen this write.",
                "schema": {"type": "string"},
            },
        },
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
