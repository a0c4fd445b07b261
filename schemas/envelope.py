"""Envelopes of messages: who sent a command and why, and the position of an event in its log."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from schemas.message import Command, Event

C = TypeVar("C", bound=Command, covariant=True)
E = TypeVar("E", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnvelope(Generic[C]):
    """A command with its id, time and sender: everything that a decision may depend on besides the states of streams."""

    data: C
    id: UUID
    """The command's id: a repeated one is recognised by its receipt."""
    at: datetime
    """When it was sent, in UTC."""
    correlation_id: str
    """Shared by everything that one request causes."""
    causation_id: str | None = None
    """The id of the event that caused this command, if a policy sent it."""
    actor: str | None = None
    traceparent: str | None = None
    """W3C Trace Context of the request."""
    policy: str | None = None
    """The policy that sent this command, and sends it again until it has a receipt."""


@dataclass(slots=True, kw_only=True)  # one a command: a frozen one takes three times as long to make
class Metadata:
    """Why an event happened. It is stored with the event in the log and on the topic."""

    command_id: UUID
    correlation_id: str
    command: str | None = None
    """Name of the command, if a system declares it."""
    causation_id: str | None = None
    """The id of the event that caused the command, if a policy sent it."""
    actor: str | None = None
    traceparent: str | None = None


@dataclass(slots=True, kw_only=True)  # one an event: a frozen one takes three times as long to make
class RecordedEvent(Generic[E]):
    """An event as the log holds it."""

    data: E
    id: UUID
    stream: str
    """``category-id``: one aggregate's events."""
    version: int
    """The event's place in its stream, from 1."""
    position: int
    """The event's place in its context's log, from 1, without gaps."""
    recorded_at: datetime
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejection by a domain rule. Each repeat of the command gets the same one."""

    kind: str
    detail: str
    correlation_id: str


@dataclass(slots=True, kw_only=True)  # one a command: a frozen one takes three times as long to make
class Receipt:
    """The answer to a command, stored with its events: a repeated command gets it again."""

    command_id: UUID
    stream: str
    """The stream that the command was about."""
    version: int
    """The stream's version after the command."""
    position: int
    """Position of the command's last event in that stream; 0 if it recorded none."""
    partition: int
    """Partition of the context's topic that holds the stream's events."""
    recorded_at: datetime
    events: tuple[str, ...] = ()
    """Names of the events that the command recorded, in order."""
    began_stream: bool = False
    """Whether the command created the stream."""
    rejection: Rejection | None = None
    """Why the command was rejected; ``None`` if it was accepted."""
    repeated: bool = field(default=False, compare=False)
    """Whether this is the answer of an earlier, equal command."""

    @property
    def key(self) -> str:
        """The key of the stream that the command was about: its name without the category."""
        return self.stream.partition("-")[2]
