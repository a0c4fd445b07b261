"""``caudal topic-docs``: a page for each topic, which Redpanda Console shows beside the topic's messages."""

import json
from collections.abc import Iterator
from pathlib import Path

from schemas.catalog import Catalog
from schemas.message import Message
from schemas.system import Context, ContextName
from streams.broker.topic_names import Topics
from streams.settings import Settings


def write_topic_docs(folder: Path, settings: Settings, catalog: Catalog) -> list[Path]:
    """Writes ``<topic>.md`` for every topic and returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for topic, text in _pages(Topics(settings, catalog), catalog):
        path = folder / f"{topic}.md"
        path.write_text(text)
        written.append(path)
    return written


def _pages(topics: Topics, catalog: Catalog) -> Iterator[tuple[str, str]]:
    for name, context in catalog.contexts.items():
        yield topics.events(name), _events(name, context)
        yield topics.commands(name), _commands(name, context)
        yield topics.dead_letters(name), _dead_letters(name)


def _events(name: ContextName, context: Context) -> str:
    return "\n".join(
        [
            f"# Events of {name}",
            "",
            "Every event of the context's log, keyed by stream, as a CloudEvent in binary mode: the `ce_type` header names",
            "the event, `ce_position` its position in the log and `ce_previous` that of the one before it in this partition.",
            "A record may be repeated; its position identifies the event.",
            *(line for event in context.events for line in _message(event)),
        ]
    )


def _commands(name: ContextName, context: Context) -> str:
    return "\n".join(
        [
            f"# Commands for {name}",
            "",
            f"`ce_type` is `{name.system}.` and the command's name, `ce_id` the command's id: a repeated id is handled once.",
            *(line for command in context.commands for line in _message(command)),
        ]
    )


def _dead_letters(name: ContextName) -> str:
    return (
        f"# Dead letters of {name}\n\nRecords as they were, with further headers: `dead_letter_origin`, `dead_letter_error`.\n"
    )


def _message(message: type[Message]) -> list[str]:
    schema = json.dumps(message.model_json_schema(), indent=2)
    return ["", f"## {message.message_name}", "", message.__doc__ or "", "", "```json", schema, "```"]
