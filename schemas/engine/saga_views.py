"""The views of sagas: the state of each, and its log.

A saga is visible to the caller who started it, took part in it, or is one of its references, and to operators and auditors.
"""

from datetime import datetime

from pydantic import Field, JsonValue

from schemas.access import Access, RowAccess
from schemas.engine.sagas import InputKind, Status, StepStatus
from schemas.view import View

_ROWS = RowAccess(owners=("actor", "reference_ids"), all_rows=frozenset({"operator", "auditor"}))


class Sagas(
    View,
    context="sagas",
    key="saga_id",
    indexes=(("saga", "saga_id"), "status", "reference_ids", "correlation_id"),
    access=Access(),
    rows=_ROWS,
):
    """One saga."""

    saga_id: str
    saga: str | None = None
    """Full name of its definition, such as ``shop.checkout``."""
    key: str | None = None
    status: Status = "running"
    reason: str | None = None
    state: dict[str, JsonValue] | None = None
    references: dict[str, str] = Field(default_factory=dict)
    """Ids of the things that the saga is about, by name."""
    reference_ids: tuple[str, ...] = ()
    """The same ids as a list, for filters."""
    steps: int = 0
    position: int = 0
    """Position of the newest step."""
    deferred: dict[str, JsonValue] = Field(default_factory=dict)
    """Inputs that the saga could not react to yet, by id: name, problem, and status: ``failed``, or ``received`` too early."""
    in_flight: dict[str, JsonValue] = Field(default_factory=dict)
    """Commands without an outcome, by number: name, number of the command that it compensates, and when it was sent."""
    failed_compensations: dict[str, JsonValue] = Field(default_factory=dict)
    """Commands whose compensation was rejected, by number: name and problem."""
    timers: dict[str, JsonValue] = Field(default_factory=dict)
    """When each timer is due, by name."""
    correlation_id: str | None = None
    actor: str | None = None
    """The caller who started it."""
    started_at: datetime | None = None
    updated_at: datetime | None = None
    ended_at: datetime | None = None


class SagaLogs(
    View,
    context="sagas",
    key="entry_id",
    indexes=(("saga_id", "step"), ("saga", "position"), "event_type", "step_status", "received_at", "reference_ids"),
    access=Access(),
    rows=_ROWS,
):
    """One input of a saga."""

    entry_id: str
    saga_id: str | None = None
    saga: str | None = None
    step: int = 0
    """The first step of the saga that had this input."""
    position: int = 0
    """Position of that step, by which entries are ordered."""
    kind: InputKind = "event"
    event_type: str | None = None
    event_id: str | None = None
    payload: dict[str, JsonValue] | None = None
    rejection: str | None = None
    """Why the command was rejected, for an input of kind ``outcome``."""
    step_status: StepStatus = "received"
    problem: str | None = None
    saga_status: Status = "running"
    """The saga's status after the input."""
    sent: list[JsonValue] = Field(default_factory=list)
    """The commands that followed: name, number, and the number of the command that it compensates."""
    references: dict[str, str] = Field(default_factory=dict)
    reference_ids: tuple[str, ...] = ()
    happened_at: datetime | None = None
    received_at: datetime | None = None
    handled_at: datetime | None = None
    correlation_id: str | None = None
    actor: str | None = None
    """The caller who caused the input."""


VIEWS = (Sagas, SagaLogs)
