"""The AsyncAPI document (3.1): every topic of an installation, the messages on it, and who sends them.

::

    log of a context ─► {prefix}.{system}.{context}.events        sent: each event once, as a CloudEvent in binary mode
                     ─► ….dead-letters, ….signed-heads            sent
    other teams      ─► ….commands                                received: each command is handled once
    integration topics, under the names that other teams know    sent or received, as JSON, text or Avro
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel

from schemas.catalog import Catalog
from schemas.integration import Record
from schemas.message import Command, Event, Message
from schemas.sensitive import encrypted_fields
from schemas.system import Context, ContextName
from streams.asyncapi.record_headers import COMMAND_HEADERS, DEAD_LETTER_HEADERS, EVENT_HEADERS
from streams.broker.topic_names import Topics
from streams.http.model_schemas import model_schemas
from streams.integration_topics.avro import schema_of
from streams.settings import Settings

TITLE = "Caudal: topics"
_DESCRIPTION = """Records of Kafka. In the topics of the logs each is a CloudEvent in binary mode, its attributes are headers.

A repeat of a record has the same `ce_id`. Records of one stream have one key, and are in order."""
_AVRO = "application/vnd.apache.avro;version=1.9.0"
_SIGNED_HEAD = {
    "type": "object",
    "required": ["context", "position", "hash", "timeline", "signed_at", "key", "signature"],
    "properties": {
        "context": {"type": "string"},
        "position": {"type": "integer"},
        "hash": {"type": "string", "description": "In hexadecimal, as the signature."},
        "timeline": {"type": "integer", "description": "The timeline of the log, from 1."},
        "signed_at": {"type": "string", "format": "date-time"},
        "key": {"type": "string", "description": "SHA-256 of the public key, in hexadecimal."},
        "signature": {"type": "string"},
    },
}


class _Channel(NamedTuple):
    """A topic, and what is on it."""

    name: str
    topic: str
    description: str
    is_sent: bool
    """Whether this deployment sends its records; else it receives them."""
    messages: Mapping[str, Mapping[str, Any]]


def describe_topics(settings: Settings, catalog: Catalog) -> dict[str, Any]:
    """Returns the AsyncAPI document of the topics of the installed systems, as JSON values. It names no server."""
    messages = [message for context in catalog.contexts.values() for message in _messages(context)]
    payloads, schemas = model_schemas(messages)
    channels = list(_channels(Topics(settings, catalog), catalog, payloads))
    return {
        "asyncapi": "3.1.0",
        "info": {"title": TITLE, "version": version("caudal"), "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {one.name: _channel(one) for one in channels},
        "operations": {one.name: _operation(one) for one in channels},
        "components": {
            "messages": {f"{one.name}.{name}": message for one in channels for name, message in one.messages.items()},
            "messageTraits": {
                "event": {"headers": _headers(EVENT_HEADERS)},
                "command": {"headers": _headers(COMMAND_HEADERS)},
                "dead_letter": {"headers": _headers(DEAD_LETTER_HEADERS)},
            },
            "schemas": schemas,
        },
    }


def _messages(context: Context) -> Iterator[type[Message]]:
    yield from context.events
    yield from _accepted(context)


def _accepted(context: Context) -> Iterator[type[Command]]:
    """Yields the commands that others may send."""
    yield from (command for command in context.commands if not command.internal)


def _channels(topics: Topics, catalog: Catalog, payloads: Mapping[type[BaseModel], Any]) -> Iterator[_Channel]:
    for name, context in catalog.contexts.items():
        events = {event.message_name: _of_event(name, event, payloads[event]) for event in context.events}
        commands = {command.message_name: _of_command(name, command, payloads[command]) for command in _accepted(context)}
        yield _Channel(f"{name}.events", topics.events(name), f"Every event of the log of {name}.", True, events)
        if commands:
            yield _Channel(f"{name}.commands", topics.commands(name), f"Commands for {name}.", False, commands)
        yield _Channel(
            *(f"{name}.dead-letters", topics.dead_letters(name), f"Records of {name} that could not be handled.", True),
            {"dead-letter": _message("dead-letter", "The record, byte for byte.", {"type": "object"}, "dead_letter")},
        )
        yield _Channel(
            *(f"{name}.signed-heads", topics.signed_heads(name), f"Signatures of the end of the log of {name}.", True),
            {"signed-head": _message("signed-head", "The hash of the log up to a position, signed.", _SIGNED_HEAD, None)},
        )
    yield from _integration_channels(topics, catalog)


def _integration_channels(topics: Topics, catalog: Catalog) -> Iterator[_Channel]:
    """Yields the integration topics that are sent, then those that are received: one may be both."""
    sent: dict[str, dict[str, Mapping[str, Any]]] = {}
    received: dict[str, dict[str, Mapping[str, Any]]] = {}
    for context in catalog.contexts:
        for out in catalog.outgoing(context):
            summary = f"What follows from {context.system}.{out.event.message_name}."
            sent.setdefault(out.topic, {})[out.name] = _of_record(out.name, summary, out.record, is_text=False)
        for given in catalog.incoming(context):
            name = given.command.message_name if given.record is None else given.record.full_name
            summary = f"Becomes the command {context.system}.{given.command.message_name}."
            received.setdefault(given.topic, {})[name] = _of_record(name, summary, given.record, is_text=given.is_text)
    for topic, messages in sent.items():
        yield _Channel(f"sent.{topic}", topics.integration(topic), "What other teams read.", True, messages)
    for topic, messages in received.items():
        yield _Channel(f"received.{topic}", topics.integration(topic), "What other teams send.", False, messages)


def _of_event(context: ContextName, event: type[Event], payload: Any) -> dict[str, Any]:
    described = _message(f"{context.system}.{event.message_name}", event.__doc__, payload, "event")
    return {**described, "x-schema-version": event.schema_version, **_encrypted(event)}


def _of_command(context: ContextName, command: type[Command], payload: Any) -> dict[str, Any]:
    return {**_message(f"{context.system}.{command.message_name}", command.__doc__, payload, "command"), **_encrypted(command)}


def _encrypted(message: type[Message]) -> dict[str, Any]:
    """Returns the fields that are on the topic encrypted for a data subject, if there are any."""
    names = list(encrypted_fields(message))
    return {"x-encrypted-fields": names} if names else {}


def _of_record(name: str, summary: str, record: Record | None, *, is_text: bool) -> dict[str, Any]:
    if record is not None:
        schema = _with_namespaces(orjson.loads(schema_of(record)))
        return {**_message(name, summary, {"schemaFormat": _AVRO, "schema": schema}, None), "contentType": "application/avro"}
    return _message(name, summary, {"type": "string"} if is_text else {}, None)


def _with_namespaces(value: Any) -> Any:
    """Returns a schema of Avro whose names have no dots: AsyncAPI wants the namespace beside the name."""
    if isinstance(value, list):
        return [_with_namespaces(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {name: _with_namespaces(inner) for name, inner in value.items()}
    if made.get("type") == "record":
        namespace, _, name = made["name"].rpartition(".")
        made |= {"name": name, **({"namespace": namespace} if namespace else {})}
    return made


def _message(name: str, text: str | None, payload: Any, trait: str | None) -> dict[str, Any]:
    summary, _, rest = (text or "").strip().partition("\n")
    described = {"name": name, "title": name, "summary": summary, "payload": payload}
    if rest.strip():
        described["description"] = " ".join(rest.split())
    return described if trait is None else {**described, "traits": [{"$ref": f"#/components/messageTraits/{trait}"}]}


def _headers(headers: Mapping[str, str]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string", "description": text} for name, text in headers.items()}}


def _channel(one: _Channel) -> dict[str, Any]:
    messages = {name: {"$ref": f"#/components/messages/{one.name}.{name}"} for name in one.messages}
    return {"address": one.topic, "description": one.description, "messages": messages}


def _operation(one: _Channel) -> dict[str, Any]:
    return {
        "action": "send" if one.is_sent else "receive",
        "summary": one.description,
        "channel": {"$ref": f"#/channels/{one.name}"},
        "messages": _references(one.name, list(one.messages)),
    }


def _references(channel: str, names: Sequence[str]) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]
