"""Paths of a system's own for commands, in its clients' words: ``PATHS`` in the system's package of this room."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from string import Formatter
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request

from command_api.handling.activities import ActivityContext
from command_api.http.body import JSON
from command_api.http.gateway import CommandGateway
from schemas.catalog import Catalog
from schemas.clients.dialect import Dialect
from schemas.envelope import Receipt
from schemas.errors import Misconfigured
from schemas.message import Command, Event
from streams.discovery import declared_rows
from streams.http.reserved_paths import why_not_own


class ReceiptField(Enum):
    """A part of the receipt, as a value in an answer."""

    KEY = "key"
    """The key of the stream: the id of what the command was about."""
    VERSION = "version"
    COMMAND_ID = "command_id"
    RECORDED_AT = "recorded_at"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the command, as a value in an answer."""

    name: str


@dataclass(frozen=True, slots=True)
class FromState:
    """An answer that takes a look at the write side's state after the command."""

    answer: Callable[[Any, Receipt, CommandGateway], Awaitable[Mapping[str, Any]]]


KEY, RECORDED_AT = ReceiptField.KEY, ReceiptField.RECORDED_AT
Answer = Mapping[str, Any] | Callable[[Any, Receipt, Sequence[Event]], Mapping[str, Any]] | FromState
"""The body of an answer: values by name, a function of the command, its receipt and its events, or one of the state.

A value may be a part of the receipt, or a `Member` of the command.
"""


@dataclass(frozen=True, slots=True)
class Translation:
    """The clients' own form of a command."""

    body: type[BaseModel] | None
    """``None``: the requests have none, as a DELETE; what comes all the same is ignored."""
    command: Callable[[Any, Mapping[str, str]], Command]
    """From the body and the path's parameters; raises `NotFound` if a parameter names nothing.

    It may return another command of the context than its path names; the caller needs access to that one, too.
    """


@dataclass(frozen=True, slots=True)
class CommandPath:
    """A path for one command."""

    path: str
    command: type[Command]
    answer: Answer
    method: str = "POST"
    translation: Translation | None = None
    """Without it the body is the command itself, or a batch of them."""
    with_events: bool = False
    """Whether the answer needs the events that the command recorded in its stream, which takes a read of the log."""
    status: int | None = None
    """The status of every success; ``None``: 201 for a new stream, 200 otherwise."""
    media_types: tuple[str, ...] = JSON
    errors: Dialect | None = None
    """How errors are reported; ``None``: as problem documents."""

    @property
    def body(self) -> type[BaseModel] | None:
        """The shape of a request's body, ``None`` for none."""
        return self.command if self.translation is None else self.translation.body


@dataclass(frozen=True, slots=True)
class QuestionPath:
    """A path whose answer comes from the write side's state, and is no receipt."""

    path: str
    body: type[BaseModel]
    answer: Callable[[Any, Request, CommandGateway], Awaitable[BaseModel]]
    """From the body; it may handle commands."""
    reply: type[BaseModel]
    summary: str
    media_types: tuple[str, ...] = JSON
    errors: Dialect | None = None


@dataclass(frozen=True, slots=True)
class UploadContext:
    """One upload, and what its path may use."""

    activity: ActivityContext
    client: str
    """The client whose other computations wait for those of this one."""
    command_id: UUID
    is_repeat: bool
    """Whether a command with this id was handled already, so that there is nothing to store."""


@dataclass(frozen=True, slots=True)
class Made:
    """The answer to an upload of which a command of some class was made."""

    status: int
    reply: type[BaseModel]
    """The shape of the answer."""


@dataclass(frozen=True, slots=True)
class UploadPath:
    """A path whose requests are files. The command is made of what a file is like; the file itself is in no command."""

    path: str
    makes: Mapping[type[Command], Made]
    """The commands of one context that may be made; a caller needs access to all of them."""
    parameters: type[BaseModel]
    """The parameters of the query."""
    receive: Callable[[Any, bytes, UploadContext], Awaitable[Command]]
    """Makes the command of the parameters and the file. It stores what the command names, the same at a repeat."""
    answer: Callable[[Any, Receipt, Sequence[Event]], Mapping[str, Any]]
    media_types: tuple[str, ...]
    with_events: bool = False
    """Whether the answer needs the events that the command recorded."""
    location: str | None = None
    """The path of the query API that shows the outcome: ``/images/{key}``."""
    errors: Dialect | None = None
    """How errors are reported; ``None``: as problem documents."""
    method: str = "POST"

    @property
    def command(self) -> type[Command]:
        """The command that is usually made."""
        return next(iter(self.makes))


@dataclass(frozen=True, slots=True)
class AcceptedCommand:
    """A command that was sent to its topic."""

    command_id: UUID
    key: str
    """The key of the stream that it is about."""
    is_repeat: bool
    """Whether an equal command with this id was handled already, so that this one was not sent."""


@dataclass(frozen=True, slots=True)
class AcceptedCommandPath:
    """A path for one command that is only accepted: the worker decides it after the answer.

    A rejection reaches its sender only as an event. So the decision records an event that says why the command has no effect,
    where that of a `CommandPath` raises `Rejected`. Raises `Misconfigured` for an answer or a location whose parts are not
    known before the decision.
    """

    path: str
    command: type[Command]
    answer: Mapping[str, Any] | Callable[[Any, AcceptedCommand], Mapping[str, Any]] = field(default_factory=dict)
    """Values by name, of the receipt only its key and command id; or a function of the command as it was sent by the client."""
    method: str = "POST"
    translation: Translation | None = None
    """Without it the body is the command itself; there are no batches."""
    location: str | None = None
    """The path of the query API that shows the outcome: ``/transfers/{key}``, with ``{key}`` or ``{command_id}``."""
    status: int = 202
    media_types: tuple[str, ...] = JSON
    errors: Dialect | None = None
    """How errors are reported; ``None``: as problem documents."""

    def __post_init__(self) -> None:
        parts = {name for _, name, _, _ in Formatter().parse(self.location or "") if name is not None}
        if unknown := sorted(parts - _KNOWN_BEFORE):
            raise Misconfigured(f"the location of {self.path} names {unknown[0]}: it may have {{key}} and {{command_id}}")
        values = [] if callable(self.answer) else self.answer.values()
        if unknown := [one.value for one in values if isinstance(one, ReceiptField) and one.value not in _KNOWN_BEFORE]:
            raise Misconfigured(f"the answer of {self.path} has the {unknown[0]}, which is not known before the decision")

    @property
    def body(self) -> type[BaseModel] | None:
        """The shape of a request's body, ``None`` for none."""
        return self.command if self.translation is None else self.translation.body


_KNOWN_BEFORE = {"key", "command_id"}
"""The parts of a receipt that are known before the decision."""
OwnPath = CommandPath | AcceptedCommandPath | QuestionPath | UploadPath
_RESERVED = ("/commands", "/.well-known")
"""The engine's paths in this API, beside those of both APIs."""


def installed(catalog: Catalog) -> Mapping[str, tuple[OwnPath, ...]]:
    """Returns the paths of a catalog's systems, by their names; raises `Misconfigured` if two have the same path."""
    found: Mapping[str, tuple[OwnPath, ...]] = declared_rows(catalog, "command_api", "PATHS")
    taken: dict[tuple[str, str], str] = {}
    for system, paths in found.items():
        for one in paths:
            method = "POST" if isinstance(one, QuestionPath) else one.method
            if (why := why_not_own(one.path, _RESERVED)) is not None:
                raise Misconfigured(f"the path {one.path} of {system}: {why}")
            if (method, one.path) in taken:
                raise Misconfigured(f"{method} {one.path} of {system} is a path of {taken[method, one.path]} too: change one")
            taken[method, one.path] = system
    return found


async def answer_of(
    path: CommandPath | UploadPath, command: Command, receipt: Receipt, events: Sequence[Event], gateway: CommandGateway
) -> Mapping[str, Any]:
    """Returns the body of the answer to a command."""
    if isinstance(path.answer, FromState):
        return await path.answer.answer(command, receipt, gateway)
    if callable(path.answer):
        return path.answer(command, receipt, events)
    return {name: _value(value, command, receipt) for name, value in path.answer.items()}


def answer_of_accepted(path: AcceptedCommandPath, command: Command, accepted: AcceptedCommand) -> Mapping[str, Any]:
    """Returns the body of the answer to a command that is only accepted."""
    if callable(path.answer):
        return path.answer(command, accepted)
    return {name: _value(value, command, accepted) for name, value in path.answer.items()}


def location_of(path: AcceptedCommandPath, accepted: AcceptedCommand) -> str | None:
    """Returns the path of the query API that shows the outcome of an accepted command, if its path names one."""
    if path.location is None:
        return None
    return path.location.format(key=quote(accepted.key, safe=""), command_id=accepted.command_id)


def _value(value: Any, command: Command, receipt: Receipt | AcceptedCommand) -> Any:
    match value:
        case ReceiptField():
            return getattr(receipt, value.value)
        case Member():
            return getattr(command, value.name)
    return value


class CommandReceipt(BaseModel):
    """The receipt of a command: the place and the names of its events."""

    id: str = Field(description="The key of the stream: the id of what the command was about.")
    command_id: UUID
    stream: str
    version: int = Field(description="The stream's version after the command.")
    position: int = Field(description="The position of the command's last event in the log.")
    events: list[str] = Field(description="The names of the command's events.")


def receipt_as_json(receipt: Receipt) -> dict[str, Any]:
    """Returns a receipt as both the general path and batches answer it: the values of a `CommandReceipt`."""
    return {
        "id": receipt.key,
        "command_id": str(receipt.command_id),
        "stream": receipt.stream,
        "version": receipt.version,
        "position": receipt.position,
        "events": list(receipt.events),
    }
