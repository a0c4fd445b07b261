"""The sagas as people look at them: how each process stands, and its log.

Whoever began a process, or did what it was told of, sees that, and whoever it is about; operators and auditors see everything.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from schemas.access import Access, RowAccess
from schemas.engine.sagas import Standing, Status
from schemas.view import View

_ROWS = RowAccess(owners=("actor", "real_id"), all_rows=frozenset({"operator", "auditor"}))


class Saga(
    View,
    name="sagas",
    context="sagas",
    key="saga_id",
    indexes=(("next_due",), ("process", "saga_id"), ("status",), ("temporary_id",), ("real_id",), ("correlation_id",)),
    access=Access(),
    rows=_ROWS,
):
    """One process."""

    saga_id: str
    process: str | None = None
    about: str | None = None
    status: Status = "running"
    state: str = ""
    """The status in its clients' words."""
    reason: str | None = None
    knows: dict[str, JsonValue] | None = None
    temporary_id: str | None = None
    real_id: str | None = None
    steps: int = 0
    position: int = 0
    """Of the newest step."""
    waiting: dict[str, JsonValue] = Field(default_factory=dict)
    """What could not be reacted to yet, by id: name and problem."""
    underway: dict[str, JsonValue] = Field(default_factory=dict)
    """Commands that are not answered, by number: name, and when they were sent."""
    not_undone: dict[str, JsonValue] = Field(default_factory=dict)
    """Commands that could not be taken back, by number: name and problem."""
    timers: dict[str, JsonValue] = Field(default_factory=dict)
    """When it is to be told, by the timer's name."""
    next_due: datetime | None = None
    correlation_id: str | None = None
    actor: str | None = None
    """Who did what it began with."""
    started_at: datetime | None = None
    updated_at: datetime | None = None
    ended_at: datetime | None = None


class SagaLogEntry(
    View,
    name="saga_logs",
    context="sagas",
    key="entry_id",
    indexes=(("saga_id", "step"), ("event_type",), ("standing",), ("received_at",), ("temporary_id",), ("real_id",)),
    access=Access(),
    rows=_ROWS,
):
    """One thing that a process was told."""

    entry_id: str
    saga_id: str | None = None
    process: str | None = None
    step: int = 0
    """Which of the process's steps it came with first."""
    kind: Literal["event", "answer", "timer", "retry", "cancel"] = "event"
    event_type: str | None = None
    event_id: str | None = None
    payload: dict[str, JsonValue] | None = None
    standing: Standing = "received"
    state: str = ""
    """The standing in its clients' words."""
    problem: str | None = None
    saga_state: str = ""
    """What the process's status was after it, in its clients' words."""
    sent: list[JsonValue] = Field(default_factory=list)
    """Names of the commands that it led to."""
    temporary_id: str | None = None
    real_id: str | None = None
    happened_at: datetime | None = None
    received_at: datetime | None = None
    processed_at: datetime | None = None
    correlation_id: str | None = None
    actor: str | None = None
    """Who did what it was told of."""


VIEWS = (Saga, SagaLogEntry)
