"""The OpenAPI document of the command API."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Any

from pydantic import BaseModel

from command_api.handling.activities import NO_EXPECTATION
from command_api.handling.idempotency import BOTH_IDS, KEY
from command_api.handling.validation import ENCRYPTED, NAME_TWICE, TOO_DEEP
from command_api.http.batch import MEDIA_TYPE, NO_HEADERS, BatchAnswer, BatchLine
from command_api.http.body import JSON
from command_api.http.paths import (
    AcceptedCommandPath,
    CommandPath,
    CommandReceipt,
    Member,
    OwnPath,
    QuestionPath,
    ReceiptField,
    UploadPath,
)
from command_api.http.preconditions import BOTH_EXPECTATIONS, IF_MATCH
from schemas.catalog import Catalog
from schemas.errors import (
    AlreadyExists,
    CaudalError,
    Conflict,
    DoesNotExist,
    Failed,
    Forbidden,
    IdempotencyKeyReused,
    InProgress,
    Invalid,
    Malformed,
    NotFound,
    Overloaded,
    PreconditionFailed,
    PreconditionRequired,
    Raced,
    Rejected,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedFormat,
)
from schemas.message import Command
from schemas.system import ContextName
from schemas.values.literals import UUID_FORM
from schemas.values.stated import RULES
from schemas.values.storable import RULES as STORABLE
from streams.http.documentation import Effective, declared_access, document, problem_responses, schema_of, security_of

TITLE = "Caudal: command API"
_ERRORS_OF_ACCEPTED: tuple[type[CaudalError], ...] = (
    *(Malformed, Unauthenticated, Forbidden, NotFound, TooLarge, UnsupportedFormat, TooManyRequests, Unavailable, Overloaded),
    *(Invalid, Rejected, IdempotencyKeyReused),
)
"""Errors of a command that is only accepted: those before its decision."""
_ERRORS = (
    *_ERRORS_OF_ACCEPTED,
    *(Failed, AlreadyExists, DoesNotExist, Conflict, Raced, InProgress, PreconditionFailed, PreconditionRequired),
)
_ERRORS_OF_UPLOADS = (*_ERRORS_OF_ACCEPTED, Failed, AlreadyExists, Conflict, Raced, InProgress)
_OF_THE_SERVER = (408, 421, 431, 500)
"""Statuses of requests that are too slow, name a host that is not allowed or have too large headers, and of faults."""
_HEADERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "Idempotency-Key",
        "Makes a repeat safe: a command with a known key gets the first answer again.",
        {"type": "string", "pattern": KEY.pattern},
    ),
    (
        "X-Command-Id",
        "A UUID of the sender's, in the place of a key.",
        {"type": "string", "format": "uuid", "pattern": UUID_FORM.pattern},
    ),
    (
        "If-Match",
        "The version, as ETag, that the command's stream must have; * for any, of a stream that exists.",
        {"type": "string", "pattern": IF_MATCH},
    ),
    ("If-None-Match", "*: the command's stream must not exist.", {"type": "string", "enum": ["*"]}),
    (
        "X-Actor",
        "Who sends the command, if there is no token; recorded with its events, not verified.",
        {"type": "string", "pattern": KEY.pattern},
    ),
    (
        "X-Correlation-Id",
        "Shared by everything that follows from the request; generated if it is missing or is not 1 to 200 visible ASCII "
        "characters.",
        {"type": "string"},
    ),
)
_EXPECTATIONS = ("If-Match", "If-None-Match")
"""Headers that no command takes which is only accepted."""
_RULES_OF_HEADERS = [BOTH_IDS, BOTH_EXPECTATIONS, NO_EXPECTATION]
_RULES_OF_JSON = [*STORABLE, TOO_DEEP, NAME_TWICE, ENCRYPTED]
_DESCRIPTION = f"""Commands in, events recorded. Every error is a problem document (RFC 9457).

A request that its schemas allow is rejected as malformed or invalid only by a rule that the operation states as `{RULES}`,
in its parameters, in the schema of its body, or here for every body: a violation's detail begins with the words of the rule.
A batch (`application/x-ndjson`) has a value of its array in each line, and so has its answer."""


def describe(
    catalog: Catalog, systems: Mapping[str, tuple[OwnPath, ...]], effective: Effective = declared_access
) -> dict[str, Any]:
    """Returns the OpenAPI document of every command and every path of a system's own, with its ``effective`` access."""
    paths: dict[str, Any] = {}
    for context, command in catalog.commands():
        if not command.internal:
            paths[f"/commands/{context.system}/{command.message_name}"] = {"post": _operation(catalog, command, effective)}
    for system, routes in systems.items():
        for route in routes:
            if isinstance(route, QuestionPath):
                paths[route.path] = {"post": _question(system, route)}
                continue
            if isinstance(route, AcceptedCommandPath):
                operation = _accepted(catalog.context_of(route.command), route, effective)
            elif isinstance(route, UploadPath):
                operation = _upload(catalog.context_of(route.command), route, effective)
            else:
                operation = _operation(catalog, route.command, effective, route)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    _add_links(paths, systems)
    return document(TITLE, _DESCRIPTION, paths, rules=_RULES_OF_JSON)


def _question(system: str, route: QuestionPath) -> dict[str, Any]:
    return {
        "operationId": f"{system}{_id(route.path)}",
        "summary": route.summary,
        "tags": [system],
        **_body(route.media_types, {"schema": schema_of(route.body)}),
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": schema_of(route.reply)}}},
            **problem_responses(_ERRORS, *_OF_THE_SERVER, dialect=route.errors),
        },
    }


def _id(path: str) -> str:
    name = re.sub(r"\W+", "_", path.replace("{", "").replace("}", ""))
    return f"{name}slash" if name.endswith("_") else name  # generators leave an underline at the end out


def _operation(
    catalog: Catalog, command: type[Command], effective: Effective, own: CommandPath | None = None
) -> dict[str, Any]:
    context = catalog.context_of(command)
    errors = (*_ERRORS, *catalog.context(context).rejections)
    path, translation = ("", None) if own is None else (own.path, own.translation)
    answer = schema_of(CommandReceipt) if own is None else _answer(own)
    shape = command if own is None else own.body
    body: dict[str, Any] = {}
    if shape is not None:
        body = _body(JSON if own is None else own.media_types, {"schema": schema_of(shape)})
    if translation is None:
        body["requestBody"]["content"][MEDIA_TYPE] = {"schema": {"type": "array", "items": _line(command)}}
    done = {
        "200": "Done; the stream existed before, or there was nothing to record.",
        "201": "Done; a new stream began.",
    }
    if own is not None and own.status is not None:
        done = {str(own.status): "Done."}
    return {
        **_identity(context, command, path, effective),
        "parameters": [*_headers(), *_in_path(path)],
        RULES: [*_RULES_OF_HEADERS, *([NO_HEADERS] if translation is None else [])],
        **body,
        "responses": {
            **{status: _done(text, answer, batch=translation is None and status != "201") for status, text in done.items()},
            **problem_responses(errors, *_OF_THE_SERVER, dialect=None if own is None else own.errors),
        },
    }


def _accepted(context: ContextName, own: AcceptedCommandPath, effective: Effective) -> dict[str, Any]:
    """Returns the operation of a command that is only accepted."""
    body = {} if own.body is None else _body(own.media_types, {"schema": schema_of(own.body)})
    headers = {
        "Command-Id": {"description": "The command's id.", "schema": {"type": "string", "format": "uuid"}},
        "Idempotent-Replayed": {
            "description": "`true` if the command was handled before: this one was not sent.",
            "schema": {"const": "true"},
        },
    }
    if own.location is not None:
        headers["Location"] = {
            "description": f"The path of the query API that shows the outcome, once the command is handled: `{own.location}`.",
            "schema": {"type": "string", "format": "uri-reference"},
        }
    return {
        **_identity(context, own.command, own.path, effective),
        "description": "The command is only accepted, and handled after the answer. A rejection is recorded as an event.",
        "parameters": [*_headers(without=_EXPECTATIONS), *_in_path(own.path)],
        RULES: [BOTH_IDS],
        **body,
        "responses": {
            str(own.status): {
                "description": "Accepted.",
                "headers": headers,
                "content": {"application/json": {"schema": _answer(own)}},
            },
            **problem_responses(_ERRORS_OF_ACCEPTED, *_OF_THE_SERVER, dialect=own.errors),
        },
    }


def _upload(context: ContextName, own: UploadPath, effective: Effective) -> dict[str, Any]:
    """Returns the operation of a path whose requests are files."""
    file = {"schema": {"type": "string", "format": "binary"}}
    location = {"Location": {"description": f"Shows the outcome: `{own.location}`.", "schema": {"type": "string"}}}
    done = {
        str(made.status): _done((command.__doc__ or command.__name__).splitlines()[0], schema_of(made.reply))
        for command, made in own.makes.items()
    }
    for answer in done.values() if own.location is not None else ():
        answer["headers"] |= location
    return {
        **_identity(context, own.command, own.path, effective),
        "description": "The body is the file. `CAUDAL_MAX_FILE_BYTES` limits its size.",
        "parameters": [*_headers(without=_EXPECTATIONS), *_in_query(own.parameters)],
        RULES: [BOTH_IDS],
        **_body(own.media_types, file),
        "responses": {**done, **problem_responses(_ERRORS_OF_UPLOADS, *_OF_THE_SERVER, dialect=own.errors)},
    }


def _in_query(parameters: type[BaseModel]) -> list[dict[str, Any]]:
    schema = parameters.model_json_schema()
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": one} for name, one in schema["properties"].items()
    ]


def _identity(context: ContextName, command: type[Command], path: str, effective: Effective) -> dict[str, Any]:
    return {
        "operationId": f"{context.system}_{command.message_name}{_id(path)}",
        "summary": (command.__doc__ or command.__name__).splitlines()[0],
        **security_of(effective("command", f"{context.system}.{command.message_name}", command.command_access)),
        "tags": [str(context)],
    }


def _body(media_types: Iterable[str], content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a body; of the names of its media type only those that are registered, and not those that clients misspell."""
    found = {name: dict(content) for name in media_types if name in _REGISTERED}
    return {"requestBody": {"required": True, "content": found}}


_REGISTERED = ("application/json", "application/x-ndjson", "application/dicom", "application/octet-stream")


def _headers(*, without: Collection[str] = ()) -> list[dict[str, Any]]:
    headers = [one for one in _HEADERS if one[0] not in without]
    return [{"name": name, "in": "header", "description": why, "schema": schema} for name, why, schema in headers]


def _in_path(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in re.findall(r"{(\w+)", path)]


def _line(command: type[Command]) -> dict[str, Any]:
    """Returns the schema of a batch's line, whose command is one of a class."""
    line = BatchLine.model_json_schema()
    return {**line, "properties": {**line["properties"], "command": schema_of(command)}}


def _answer(path: CommandPath | AcceptedCommandPath) -> dict[str, Any]:
    """Returns the schema of an answer; one that a function makes is some object."""
    if not isinstance(path.answer, Mapping):
        return {"type": "object"}
    parts = {name: _part(path.command, value) for name, value in path.answer.items()}
    return {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}


def _part(command: type[Command], value: Any) -> dict[str, Any]:
    match value:
        case ReceiptField():
            return _PARTS[value]
        case Member():
            member: dict[str, Any] = command.model_json_schema()["properties"][value.name]
            return member
    return {"const": value}


_PARTS: dict[ReceiptField, dict[str, Any]] = {
    ReceiptField.KEY: {"type": "string"},
    ReceiptField.VERSION: {"type": "integer"},
    ReceiptField.COMMAND_ID: {"type": "string", "format": "uuid"},
    ReceiptField.RECORDED_AT: {"type": "string", "format": "date-time"},
}


def _add_links(paths: Mapping[str, Any], systems: Mapping[str, tuple[OwnPath, ...]]) -> None:
    """Links each own path whose answer has a stream's key with the paths below it: ``/contratos`` with ``/contratos/{id}``."""
    commands = [path for own in systems.values() for path in own if isinstance(path, CommandPath | AcceptedCommandPath)]
    for path, below in product(commands, commands):
        answer = path.answer if isinstance(path.answer, Mapping) else {}
        keys = [name for name, value in answer.items() if value is ReceiptField.KEY]
        found = re.match(re.escape(path.path) + r"/{(\w+)}", below.path)
        if keys and found is not None:
            target = paths[below.path][below.method.lower()]
            responses = paths[path.path][path.method.lower()]["responses"]
            for status in {"200", "201", "202"} & set(responses):
                links = responses[status].setdefault("links", {})
                links[target["operationId"]] = {
                    "operationId": target["operationId"],
                    "parameters": {found[1]: f"$response.body#/{keys[0]}"},
                }


def _done(description: str, answer: Any, *, batch: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    if batch:
        content[MEDIA_TYPE] = {"schema": {"type": "array", "items": schema_of(BatchAnswer)}}
    return {
        "description": description,
        "headers": {
            "ETag": {"description": "The stream's version; not of a batch.", "schema": {"type": "string"}},
            "Consistency-Token": {
                "description": "Send it to the query API: the read waits until the view has seen this write. Not of a batch.",
                "schema": {"type": "string"},
            },
            "Idempotent-Replayed": {
                "description": "`true` if this is the first answer again, to a repeat.",
                "schema": {"const": "true"},
            },
        },
        "content": content,
    }
