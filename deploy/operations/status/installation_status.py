"""The status of an installation as values: processes, logs, subscriptions, views and sagas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SERVERS: Mapping[str, str] = {
    "postgres": "PostgreSQL",
    "broker": "the broker",
    "controller": "the broker's controller",
    "mail": "the mail server",
}
"""The processes that are not Caudal's own, and what sentences call them."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process of the local stack."""

    name: str
    port: int
    state: str
    """``ready``, ``not ready``, ``down`` or ``does not answer``."""
    why: str = ""
    """Why it is not ready."""
    log: str = ""
    """File with its output; empty if nobody knows it."""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """One context's log."""

    context: str
    head: int
    """Position of its last event."""
    relayed: int
    """Position up to which it is published."""
    owner: str | None
    """The relay that publishes it; ``None`` if no relay does."""
    last_event_at: datetime | None = None
    went_back: bool = False
    """Whether it lacks events that were published, which no operator has accepted."""
    problem: str | None = None
    """Which partitions are not published, and why."""


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """One subscription in one context."""

    name: str
    context: str
    checkpoint: list[int]
    """Position in each partition."""
    lag: int
    """Events of the log above the checkpoints."""
    is_paused: bool
    dead_letters: int
    """Open dead letters of this context."""
    oldest_at: datetime | None = None
    """When the oldest of the events above the checkpoints was recorded."""
    is_blocked: bool = False
    """Whether it stopped because its dead letters reached the limit."""


@dataclass(frozen=True, slots=True)
class ViewStatus:
    """One view."""

    name: str
    building: str | None
    """The version that is being built."""
    problem: str | None
    """The fault of its table, if there is one."""


@dataclass(frozen=True, slots=True)
class SagaStatus:
    """All sagas that have not ended."""

    running: int = 0
    stuck: dict[str, str] = field(default_factory=dict)
    """Why each stuck one is stuck, by its id."""


@dataclass(frozen=True, slots=True)
class InstallationStatus:
    """Everything together."""

    processes: list[ProcessStatus] = field(default_factory=list)
    """Empty without a local stack."""
    logs: list[LogStatus] = field(default_factory=list)
    subscriptions: list[SubscriptionStatus] = field(default_factory=list)
    views: list[ViewStatus] = field(default_factory=list)
    sagas: SagaStatus = field(default_factory=SagaStatus)
    broker: str | None = None
    """Why no broker answers; ``None`` if one does, and with a local stack, whose broker is among its processes."""
