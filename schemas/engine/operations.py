"""Operations: what operators did to an installation, who did it and why, and how it was before and after."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from schemas.message import Command, Event
from schemas.values.text import Identifier

CONTEXT = "operations"

Outcome = Literal["done", "incomplete", "failed"]
"""How an operation ended: ``incomplete`` means that a part could not be done, such as dead letters that still fail."""

MAX_REASON = 1000
"""Characters of a reason."""
Reason = Annotated[str, Field(max_length=MAX_REASON, description="Why it is done; it is recorded.")]


class BeginOperation(Command, internal=True):
    """Records that an operator's operation begins."""

    run_id: UUID
    operation: Identifier
    parameters: dict[str, JsonValue]
    reason: Reason = ""
    before: dict[str, JsonValue] = Field(default_factory=dict)


class EndOperation(Command, internal=True):
    """Records how an operation ended."""

    run_id: UUID
    outcome: Outcome
    problem: str | None = None
    after: dict[str, JsonValue] = Field(default_factory=dict)


class OperationBegan(Event):
    """An operator's operation began; the event's actor is the operator."""

    run_id: UUID
    operation: str = Field(description="Its name, such as subscriptions/pause.")
    parameters: dict[str, JsonValue]
    reason: str = Field(description="Why it is done, in the operator's words; may be empty.")
    before: dict[str, JsonValue] = Field(description="How that was what it changes, before it changed anything.")


class OperationEnded(Event):
    """An operation ended. One that began and has no such event was interrupted, or still goes on."""

    run_id: UUID
    outcome: Outcome
    problem: str | None = Field(description="Why it failed, or the part that could not be done.")
    after: dict[str, JsonValue] = Field(description="How that is what it changed.")


COMMANDS = (BeginOperation, EndOperation)
EVENTS = (OperationBegan, OperationEnded)
