"""The form of a command, made of its schema: for development, in a local stack alone."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

import httpx
import orjson

from deploy.operations.operation import OPERATORS
from deploy.operations_page.rendering import pretty
from deploy.operations_page.screen import Asked, Screen, Shown
from schemas.catalog import Catalog
from schemas.errors import Invalid, NotFound, Unavailable
from schemas.message import Command
from schemas.system import ContextName
from streams.http.model_schemas import SCHEMAS, model_schemas
from streams.security.tokens import TokenIssuer

_TIMEOUT_SECONDS = 30.0
_SHOWN_HEADERS = ("etag", "consistency-token", "location", "command-id", "retry-after")
Kind = Literal["text", "number", "truth", "choice", "json"]


class Field(NamedTuple):
    """One field of a command, as a form has it."""

    name: str
    kind: Kind
    is_required: bool
    description: str
    value: str
    """An example; empty for a field that may be left out."""
    choices: Sequence[str] = ()


class Sent(NamedTuple):
    """The answer of the command API."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: str
    curl: str


def can_send(asked: Asked) -> bool:
    """Returns whether commands can be sent from the page: it belongs to a local stack, which runs."""
    return asked.installation.settings.page_code is not None and asked.installation.stack is not None


async def show(asked: Asked) -> Shown:
    """Shows the form of a command, with an example."""
    if not can_send(asked):
        raise Unavailable("commands are sent from the page of a local stack alone, which `caudal up` starts")
    context, command = command_of(asked.installation.catalog, asked.path)
    values = {"context": str(context), "command": command.message_name, "fields": fields_of(command), "sent": None}
    return Shown(
        "It goes to the command API, as a client's would, with every role.", "plain", values, title=command.message_name
    )


def command_of(catalog: Catalog, path: Mapping[str, str]) -> tuple[ContextName, type[Command]]:
    """Returns the command that a path names; raises `NotFound`."""
    context = ContextName.parse(path["context"])
    home, command = catalog.command(context.system, path["name"])
    if home != context or command.internal:
        raise NotFound(f"clients cannot send {path['name']!r} to {context}")
    return home, command


def fields_of(command: type[Command]) -> list[Field]:
    """Returns the fields of a command, in their order."""
    references, schemas = model_schemas([command])
    own = schemas[references[command]["$ref"].removeprefix(SCHEMAS)]
    example, required = (own.get("examples") or [{}])[0], own.get("required", ())
    return [_field(name, schema, schemas, example, name in required) for name, schema in own.get("properties", {}).items()]


def body_of(fields: Sequence[Field], form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Returns the command that a form has: fields that are empty and may be left out are; raises `Invalid`."""
    body: dict[str, Any] = {}
    for field in fields:
        text = form.get(field.name, [""])[-1]
        if not text and not (field.is_required and field.kind == "text"):
            if field.is_required:
                raise Invalid(f"{field.name} is missing")
            continue
        if field.kind in ("text", "choice"):
            body[field.name] = text
            continue
        try:
            body[field.name] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise Invalid(f"{field.name} is no JSON: {error}") from error
    return body


async def send(asked: Asked, id: UUID, body: Mapping[str, Any]) -> Sent:
    """Sends a command under an id to the command API of the local stack; raises `Unavailable` and `NotFound`."""
    stack = asked.installation.stack
    if stack is None or not can_send(asked):
        raise Unavailable("commands are sent from the page of a local stack alone, which `caudal up` starts")
    context, command = command_of(asked.installation.catalog, asked.path)
    url = f"{stack.command_api}/commands/{context.system}/{command.message_name}"
    token = (
        TokenIssuer(asked.installation.settings).issue(asked.caller.subject, sorted(asked.installation.catalog.roles())).text
    )
    headers = {"Authorization": f"Bearer {token}", "X-Command-Id": str(id), "X-Actor": asked.caller.subject}
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            answer = await client.post(url, json=dict(body), headers=headers)
    except httpx.HTTPError as error:
        raise Unavailable(f"the command API does not answer: {error!r}") from error
    shown = [(name, value) for name in _SHOWN_HEADERS if (value := answer.headers.get(name)) is not None]
    quoted = orjson.dumps(body).decode().replace("'", "'\\''")
    curl = f"curl -s {url} -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' -d '{quoted}'"
    return Sent(answer.status_code, shown, pretty(answer.text), curl)


def _field(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], example: Any, is_required: bool) -> Field:
    kind, choices = _kind(schema, schemas)
    given = example.get(name) if isinstance(example, dict) and is_required else None
    text = str(given) if kind in ("text", "choice") else pretty(given)
    return Field(name, kind, is_required, schema.get("description", ""), "" if given is None else text, choices)


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Kind, Sequence[str]]:
    """Returns the kind of input for a schema, and the values to choose from; ``null`` is a field that is left out."""
    if "$ref" in schema:
        return _kind(schemas[schema["$ref"].removeprefix(SCHEMAS)], schemas)
    if "anyOf" in schema:
        others = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return _kind(others[0], schemas) if len(others) == 1 else ("json", ())
    if "enum" in schema and all(isinstance(one, str) for one in schema["enum"]):
        return "choice", schema["enum"]
    kinds: Mapping[str, Kind] = {"string": "text", "integer": "number", "number": "number", "boolean": "truth"}
    return kinds.get(str(schema.get("type")), "json"), ()


SCREEN = Screen(
    *("/send/{context}/{name}", "send", "Send a command", "What shall it say?", show, OPERATORS), in_menu=False, is_live=False
)
