"""Processes: what a process manager's instance is told, and what it made of that, one event a step."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.access import Access
from schemas.catalog import ENGINE
from schemas.message import Command, Event
from schemas.text import Identifier

SYSTEM, CONTEXT = ENGINE, "sagas"

_CATEGORY = "saga-"

Status = Literal["running", "in_review", "completed", "compensating", "failed", "cancelled"]
ENDED: frozenset[Status] = frozenset({"completed", "failed", "cancelled"})

Standing = Literal["received", "processed", "failed"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cause(_Part):
    """What a process is told: something happened, its commands are answered, a timer is due, or an operator says so."""

    kind: Literal["event", "answer", "timer", "retry", "cancel"]
    id: UUID = Field(description="Id of the event, of the command that is answered, of the timer or of the operator's command.")
    name: str = Field(description="Name of the event, of the command that is answered or of the timer; an operator's reason.")
    at: datetime = Field(description="When it happened; for a timer when it was due.")
    stream: str | None = Field(default=None, description="The stream of the event.")
    caused_by: str | None = Field(default=None, description="Id of the event that led to this one, where a policy did.")
    data: dict[str, JsonValue] = Field(default_factory=dict)


class Answer(_Part):
    """What has become of a command that a process sent."""

    number: int
    rejection: str | None = Field(default=None, description="Why it was rejected; null where it was accepted.")
    kind: str | None = Field(default=None, description="Kind of the rejection.")


class Asked(_Part):
    """A command as a process asks for it."""

    command: str
    data: dict[str, JsonValue]


class Sent(Asked):
    """A command that a process sent."""

    number: int = Field(description="Which of the process's commands it is, from 1.")
    undo: Asked | None = Field(default=None, description="What takes it back, if it is accepted and the process fails.")
    undoes: int | None = Field(default=None, description="Number of the command that this one takes back.")


class AdvanceSaga(Command, name="advance-saga", internal=True):
    """Takes a process one step further."""

    process: Identifier
    key: Identifier
    cause: Cause
    answer: Answer | None = None


class RetrySaga(Command, name="retry-saga", access=Access.to("operator")):
    """Tries again what a process could not do: reacts to events where that failed, takes back what could not be taken back."""

    saga_id: Identifier


class CancelSaga(Command, name="cancel-saga", access=Access.to("operator")):
    """Ends a process that has not ended: what it did is taken back, in reverse order."""

    saga_id: Identifier
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class SagaAdvanced(Event, name="SagaAdvanced"):
    """A process took a step: one cause, and all that followed from it."""

    process: str
    key: str
    cause: Cause
    follows: UUID | None = Field(default=None, description="Id of the event that the cause follows by the process's rules.")
    standing: Standing = Field(
        description="received: waits for what comes before it; processed: reacted to; failed: see problem."
    )
    standing_shown: str = Field(description="The standing in its clients' words.")
    problem: str | None = None
    kept: bool = Field(default=False, description="Whether the cause is kept, to be reacted to later.")
    let_go: tuple[UUID, ...] = Field(default=(), description="Ids of kept causes that are not to be reacted to any more.")
    status: Status
    status_shown: str = Field(description="The status in its clients' words.")
    ending: Literal["failed", "cancelled"] | None = Field(
        default=None, description="How it ends once everything is taken back."
    )
    reason: str | None = Field(default=None, description="Why it has its status, where that needs a reason.")
    state: dict[str, JsonValue] | None = Field(default=None, description="What the process knows; null before it began.")
    answer: Answer | None = None
    sent: tuple[Sent, ...] = ()
    timers_set: dict[str, datetime] = Field(default_factory=dict)
    timers_cancelled: tuple[str, ...] = ()
    temporary_id: str | None = Field(default=None, description="The id that a client had before there was a real one.")
    real_id: str | None = None


def stream_of(saga_id: str) -> str:
    """The stream that holds a process's steps."""
    return f"{_CATEGORY}{saga_id}"


def saga_of(stream: str) -> str:
    """The process whose steps a stream holds."""
    return stream.removeprefix(_CATEGORY)


COMMANDS = (AdvanceSaga, RetrySaga, CancelSaga)
EVENTS = (SagaAdvanced,)
