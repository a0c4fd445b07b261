"""Sagas: the inputs of one instance of a saga definition, and one event for each step that it takes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.access import Access
from schemas.message import Command, Event
from schemas.values.text import Identifier

CONTEXT = "sagas"

_CATEGORY = "saga-"

Status = Literal["running", "in_review", "completed", "compensating", "failed", "cancelled"]
ENDED: frozenset[Status] = frozenset({"completed", "failed", "cancelled"})

InputKind = Literal["event", "outcome", "timer", "retry", "cancel"]

StepStatus = Literal["received", "handled", "failed"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SagaInput(_Part):
    """One input of a saga: an event, the outcome of one of its commands, a due timer, or an operator's request."""

    kind: InputKind
    id: UUID = Field(
        description="Id of the event, of the command that has an outcome, of the timer or of the operator's command."
    )
    name: str = Field(description="Name of the event, of the command or of the timer; an operator's reason.")
    at: datetime = Field(description="When it happened; for a timer when it was due.")
    stream: str | None = Field(default=None, description="The stream of the event.")
    caused_by: str | None = Field(default=None, description="Id of the event that led to this one through a policy.")
    data: dict[str, JsonValue] = Field(default_factory=dict)


class CommandOutcome(_Part):
    """The outcome of a command that a saga sent."""

    number: int
    rejection: str | None = Field(default=None, description="Why it was rejected; null if it was accepted.")
    kind: str | None = Field(default=None, description="Kind of the rejection.")


class CommandData(_Part):
    """A command's name and data."""

    command: str
    data: dict[str, JsonValue]


class SentCommand(CommandData):
    """A command that a saga sent."""

    number: int = Field(description="Ordinal among the saga's commands, from 1.")
    compensation: CommandData | None = Field(
        default=None, description="Sent if this command was accepted and the saga fails or is cancelled."
    )
    compensates: int | None = Field(default=None, description="Number of the command that this one compensates.")


class AdvanceSaga(Command, internal=True):
    """Gives a saga one input."""

    saga: Identifier
    key: Identifier
    input: SagaInput
    outcome: CommandOutcome | None = None


class RetrySaga(Command, access=Access.to("operator")):
    """Retries the failed reactions and the rejected compensations of a saga."""

    saga_id: Identifier


class CancelSaga(Command, access=Access.to("operator")):
    """Ends a saga that has not ended: its accepted commands are compensated in reverse order."""

    saga_id: Identifier
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class SagaAdvanced(Event):
    """A saga took a step: one input, and all of its effects."""

    saga: str = Field(description="Full name of the saga's definition, such as shop.checkout.")
    key: str
    input: SagaInput
    follows: UUID | None = Field(default=None, description="Id of the event that the input follows, by the saga's successors.")
    step_status: StepStatus = Field(
        description="received: deferred until its predecessor arrives; handled: reacted to; failed: see problem."
    )
    problem: str | None = None
    deferred: bool = Field(default=False, description="Whether the reaction to the input is deferred.")
    dropped: tuple[UUID, ...] = Field(default=(), description="Ids of deferred inputs that are no longer reacted to.")
    status: Status
    ending: Literal["failed", "cancelled"] | None = Field(
        default=None, description="The status that the saga gets when everything is compensated."
    )
    reason: str | None = Field(default=None, description="The reason of the status, if there is one.")
    state: dict[str, JsonValue] | None = Field(default=None, description="The saga's state; null before it started.")
    state_version: int = Field(default=1, description="Version of the state's class; older ones are upcast on read.")
    references: dict[str, str] = Field(
        default_factory=dict, description="Ids of the things that the saga is about, by name, such as partner: f3c0…."
    )
    outcome: CommandOutcome | None = None
    sent: tuple[SentCommand, ...] = ()
    timers_set: dict[str, datetime] = Field(default_factory=dict)
    timers_cancelled: tuple[str, ...] = ()


def stream_of(saga_id: str) -> str:
    """Returns the stream that holds a saga's steps."""
    return f"{_CATEGORY}{saga_id}"


def saga_of(stream: str) -> str:
    """Returns the id of the saga whose steps a stream holds."""
    return stream.removeprefix(_CATEGORY)


COMMANDS = (AdvanceSaga, RetrySaga, CancelSaga)
EVENTS = (SagaAdvanced,)
