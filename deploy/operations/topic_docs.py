"""``caudal topic-docs``: a page for each topic, which Redpanda Console shows beside the topic's messages."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from deploy.operations.followers import Follower, followers_of_events
from schemas.catalog import Catalog
from schemas.message import Event, Message
from schemas.sensitive import encrypted_fields
from schemas.system import Context, ContextName
from streams.asyncapi.record_headers import COMMAND_HEADERS, DEAD_LETTER_HEADERS, EVENT_HEADERS
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
    followers = followers_of_events(catalog)
    for name, context in catalog.contexts.items():
        yield topics.events(name), "\n".join(_events(name, context, followers))
        yield topics.commands(name), "\n".join(_commands(name, context))
        yield topics.dead_letters(name), "\n".join(_dead_letters(name))
        yield topics.signed_heads(name), "\n".join(_signed_heads(name))


def _events(name: ContextName, context: Context, followers: Mapping[type[Event], Sequence[Follower]]) -> Iterator[str]:
    yield f"# Events of {name}"
    yield "\nEvery event of the context's log, keyed by stream, as a CloudEvent in binary mode. The relay writes it."
    yield "\n| event | followed by | |\n|---|---|---|"
    for event in context.events:
        names = ", ".join(map(str, followers.get(event, ()))) or "nobody here"
        yield f"| `{event.message_name}` | {names} | {summary_of(event)} |"
    yield from _headers(EVENT_HEADERS)
    example = context.events[0].message_name if context.events else "…"
    yield from _filters(
        f"return String.fromCharCode(...headers.ce_type) == '{name.system}.{example}'",
        "return String.fromCharCode(...headers.ce_correlationid) == '…'",
        "return key == 'the stream'",
    )
    yield "\nThe groups `caudal.projectors` and `caudal.policies` are shared by all views and policies. Their lag shows whether"
    yield "the processes run, and not that one subscription is paused or blocked: `caudal status` and the page of operators do."
    for event in context.events:
        yield from _message(event)


def _commands(name: ContextName, context: Context) -> Iterator[str]:
    yield f"# Commands for {name}"
    yield "\nSagas, policies and other teams write it; a worker reads it, as the group `caudal.commands`."
    yield from _headers(COMMAND_HEADERS)
    for command in context.commands:
        yield from _message(command)


def _dead_letters(name: ContextName) -> Iterator[str]:
    yield f"# Dead letters of {name}"
    yield "\nRecords that could not be handled, byte for byte. This is a copy: their state is in the database."
    yield from _headers(DEAD_LETTER_HEADERS)
    yield "\n`caudal dead-letters list` shows those that are open, `redrive` has them tried again, `edit` gives one other data,"
    yield "`skip` leaves it out for good; `caudal dead-letters records` lists records that are no commands."


def _signed_heads(name: ContextName) -> Iterator[str]:
    yield f"# Signed heads of {name}"
    yield "\nSignatures of the end of the context's log: position, hash and time, as JSON, without headers. The relay writes"
    yield "them."
    yield "The topic is compacted: it keeps the newest head of each key. `caudal verify log` compares the log with them."


def _headers(headers: Mapping[str, str]) -> Iterator[str]:
    yield "\n| header | |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in headers.items())


def _filters(*filters: str) -> Iterator[str]:
    yield "\nFilters to paste, in which headers are bytes:\n"
    yield from (f"    {one}" for one in filters)


def _message(message: type[Message]) -> Iterable[str]:
    yield f"\n## {message.message_name}\n\n{message.__doc__ or ''}"
    if encrypted := encrypted_fields(message):
        names = ", ".join(f"`{name}`" for name in encrypted)
        yield f"\nEncrypted for a data subject: {names}. The value names the subject, and is unreadable once that is erased."
    yield f"\n```json\n{json.dumps(message.model_json_schema(), indent=2)}\n```"


def summary_of(message: type[Message]) -> str:
    """Returns the first line of what a message says of itself."""
    return (message.__doc__ or "").strip().partition("\n")[0]
