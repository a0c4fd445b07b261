"""Contracts: the commands and events of the installed systems, their shapes, and who follows them."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.console.printing import counted
from deploy.operations.followers import followers_of_events
from deploy.operations.topic_docs import summary_of
from deploy.operations_page.screen import Asked, Screen, Shown
from deploy.operations_page.screens.sending import can_send
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.errors import NotFound
from schemas.message import Command, Event, Message
from schemas.sensitive import encrypted_fields
from schemas.system import ContextName
from streams.broker.topic_names import Topics

ACCESS = Access.to("operator", "auditor")


@dataclass(frozen=True, slots=True)
class Contract:
    """A command or an event, as a list shows it."""

    context: str
    name: str
    kind: str
    version: int
    """Of an event's schema; 0 for a command."""
    summary: str
    followers: int
    """Of an event."""


async def show(asked: Asked) -> Shown:
    """Lists the messages whose name or context has the text that was asked for."""
    catalog, text = asked.installation.catalog, asked.query.get("name", "").lower()
    found = [one for one in _contracts(catalog) if text in f"{one.context}.{one.name}".lower()]
    commands = sum(one.kind == "command" for one in found)
    contexts = len({one.context for one in found})
    events = counted(len(found) - commands, "event")
    said = f"{counted(commands, 'command')} and {events} of {counted(contexts, 'context')}."
    return Shown(said, "plain", {"contracts": found, "name": asked.query.get("name", "")})


async def show_one(asked: Asked) -> Shown:
    """Shows the shape of one message, where it is, and who follows it."""
    installation, context = asked.installation, ContextName.parse(asked.path["context"])
    catalog = installation.catalog
    message = _message(catalog, context, asked.path["name"])
    topics = Topics(installation.settings, catalog)
    is_event = issubclass(message, Event)
    followers = followers_of_events(catalog).get(message, ()) if issubclass(message, Event) else ()
    values = {
        "context": str(context),
        "message": message,
        "is_event": is_event,
        "description": (message.__doc__ or "").strip(),
        "topic": topics.events(context) if is_event else topics.commands(context),
        "shape": message.model_json_schema(),
        "encrypted": list(encrypted_fields(message)),
        "followers": followers,
        "can_send": not is_event and can_send(asked),
    }
    if issubclass(message, Event):
        said = f"An event in version {message.schema_version}, followed by {counted(len(followers), 'subscription')}."
    else:
        said = "A command that only the engine sends." if _is_internal(message) else "A command that clients send."
    return Shown(said, "plain", values, title=message.message_name)


def _contracts(catalog: Catalog) -> Iterator[Contract]:
    followers = followers_of_events(catalog)
    for name, context in catalog.contexts.items():
        for command in context.commands:
            yield Contract(str(name), command.message_name, "command", 0, summary_of(command), 0)
        for event in context.events:
            count = len(followers.get(event, ()))
            yield Contract(str(name), event.message_name, "event", event.schema_version, summary_of(event), count)


def _message(catalog: Catalog, context: ContextName, name: str) -> type[Message]:
    declared = catalog.context(context)
    for message in (*declared.commands, *declared.events):
        if message.message_name == name:
            return message
    raise NotFound(f"{context} has no command and no event {name!r}")


def _is_internal(message: type[Message]) -> bool:
    return issubclass(message, Command) and message.internal


SCREENS = (
    Screen("/contracts", "contracts", "Contracts", "What can be sent, and what is recorded?", show, ACCESS, is_live=False),
    Screen(
        *("/contracts/{context}/{name}", "contract", "Contract", "What is in it, and who follows it?", show_one, ACCESS),
        in_menu=False,
        is_live=False,
    ),
)
