"""The declaration of a system: its contexts with their commands and events, its views and gateways, and their checks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.access import Access
from schemas.clients.gateway import Gateway
from schemas.errors import Misconfigured, NotFound, Rejected
from schemas.integration import IncomingTopic, OutgoingTopic
from schemas.message import Command, Event
from schemas.sensitive import encrypted_fields, misplaced, password_fields, sensitive_fields
from schemas.upcasting import Upcaster
from schemas.values.tuples import check_tuple
from schemas.view import View

ENGINE = "engine"
"""Name of the engine's own system, which is part of every installation."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MAX_NAME_LENGTH = 27
"""PostgreSQL cuts names at 63 bytes, and the longest schema is ``system__context__views``."""
_MAX_COLUMN_LENGTH = 63
_MAX_PARTITIONS = 10_000
"""A consistency token holds a partition's number in five digits."""


class ContextName(NamedTuple):
    """A bounded context's full name: ``system.context``."""

    system: str
    context: str

    @classmethod
    def parse(cls, text: str) -> "ContextName":
        """Reads ``system.context``; raises `NotFound` for anything else."""
        system, dot, context = text.partition(".")
        if not (system and dot and context):
            raise NotFound(f"{text!r} is not a context's name; write it like shop.orders")
        return cls(system, context)

    def __str__(self) -> str:
        return f"{self.system}.{self.context}"


@dataclass(frozen=True, slots=True)
class Context:
    """The published language of one bounded context."""

    name: str
    commands: tuple[type[Command], ...] = ()
    events: tuple[type[Event], ...] = ()
    upcasters: tuple[Upcaster, ...] = ()
    """One for each earlier schema version of each event: reads its data as the next version."""
    partitions: int = 4
    """Partitions of its topics, fixed when its log is created."""
    requires_expected_version: bool = False
    """Whether commands over HTTP must state the expected version of their stream, by ``If-Match`` or ``If-None-Match``."""
    rejections: tuple[type[Rejected], ...] = ()
    """Its rejections with kinds of their own, which OpenAPI documents state."""
    audit: Access | None = None
    """Who may read its log over HTTP; ``None``: every caller. Sensitive data in the log stays encrypted."""


@dataclass(frozen=True, slots=True)
class System:
    """One system: its contexts, its views and its gateways.

    A package registers it under the entry point group ``caudal.systems``.
    """

    name: str
    contexts: tuple[Context, ...]
    views: tuple[type[View], ...] = ()
    summary: str = ""
    gateways: tuple[Gateway, ...] = ()
    outgoing: tuple[OutgoingTopic, ...] = ()
    """The topics that it publishes for other teams, under names that they know."""
    incoming: tuple[IncomingTopic, ...] = ()
    """The topics on which other teams send commands, one kind of command each."""


def check_system(system: System) -> None:
    """Raises `Misconfigured`, with what to do, for a declaration that cannot work."""
    _check_name(system.name, "system")
    _check_tuples(
        f"the system {system.name}",
        contexts=system.contexts,
        views=system.views,
        gateways=system.gateways,
        outgoing=system.outgoing,
    )
    contexts = {context.name for context in system.contexts}
    for context in system.contexts:
        _check_name(context.name, "context")
        owner = f"the context {system.name}.{context.name}"
        if not 1 <= context.partitions <= _MAX_PARTITIONS:
            raise Misconfigured(f"{owner} has {context.partitions} partitions: give it 1 to {_MAX_PARTITIONS}")
        _check_tuples(owner, commands=context.commands, events=context.events, upcasters=context.upcasters)
        _check_tuples(owner, rejections=context.rejections)
        for command in context.commands:
            _check_command(command)
    for view in system.views:
        _check_view(view, system.name, contexts)
    commands = {command for context in system.contexts for command in context.commands}
    for incoming in system.incoming:
        if incoming.command not in commands:
            raise Misconfigured(f"{incoming.topic} takes {incoming.command.__name__}, which is not a command of {system.name}")
    events = {event for context in system.contexts for event in context.events}
    for outgoing in system.outgoing:
        if outgoing.event not in events:
            raise Misconfigured(f"{outgoing.topic} publishes {outgoing.event.__name__}, which is not an event of {system.name}")


def stored_names(event: type[Event]) -> Iterator[str]:
    """Returns every name under which a log may hold an event, the current name first."""
    yield event.message_name
    yield from event.renamed_from


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_LENGTH:
        raise Misconfigured(
            f"{name!r} cannot name a {what}: use at most {_MAX_NAME_LENGTH} small letters, digits and single underscores "
            "between them, like online_shop"
        )


def _check_command(command: type[Command]) -> None:
    if fields := list(misplaced(command)):
        raise Misconfigured(
            f"{command.__name__} marks a part of the type of {', '.join(fields)}: only a whole field can be Sensitive "
            "or a Password, as in Annotated[str | None, Sensitive()]"
        )
    if fields := sorted(set(password_fields(command)) - set(sensitive_fields(command))):
        raise Misconfigured(
            f"{command.__name__} has passwords ({', '.join(fields)}) whose hashes would not be encrypted: mark them as "
            "Annotated[str, Password(), Sensitive()]"
        )
    if command.command_subject is None and (fields := list(sensitive_fields(command))):
        raise Misconfigured(
            f"{command.__name__} has sensitive fields ({', '.join(fields)}) and names no data subject: "
            "add subject='the field with the subject's id'"
        )


def _check_view(view: type[View], system: str, contexts: set[str]) -> None:
    _check_name(view.view_name, "view")
    owner = f"the view {view.__name__}"
    if view.view_context not in contexts:
        known = ", ".join(sorted(contexts))
        raise Misconfigured(f"{owner} of {system!r} is in the context {view.view_context!r}; the contexts are {known}")
    if view.view_subject is None and (fields := list(encrypted_fields(view))):
        raise Misconfigured(
            f"{owner} has encrypted fields ({', '.join(fields)}) and names no data subject: add subject='the subject's column'"
        )
    owners = () if view.view_rows is None else view.view_rows.owners
    named = {"key": (view.view_key,), "owners": owners, "subject": (view.view_subject,) if view.view_subject else ()}
    named |= {"indexes": tuple(column for group in view.view_indexes for column in group)}
    for what, columns in named.items():
        if unknown := [column for column in columns if column not in view.model_fields]:
            raise Misconfigured(f"{owner} names {', '.join(unknown)} as {what}, which it does not have as a field")
    for name, shape in view.model_fields.items():
        if len(name.encode()) > _MAX_COLUMN_LENGTH:
            raise Misconfigured(f"{owner} has a field whose name is longer than {_MAX_COLUMN_LENGTH} bytes: {name}")
        if name != view.view_key and shape.is_required():
            raise Misconfigured(f"{owner} has no default for {name}: every field but the key {view.view_key!r} needs one")


def _check_tuples(owner: str, **declared: Any) -> None:
    for what, found in declared.items():
        check_tuple(owner, what, found)
