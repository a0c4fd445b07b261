"""The reasons why a saga is stuck, and the status that is shown of it."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, get_args

from deploy.console.printing import ago
from schemas.engine.sagas import ENDED, Status
from schemas.values.times import read_moment

LATE = timedelta(minutes=1)
"""After this time a command without an outcome, and a saga without a timer that waits for an event, count as stuck."""

RUNNING = ",".join(sorted(set(get_args(Status)) - ENDED))
"""Every status of a saga that has not ended, as a filter takes them."""

SagaRow = Mapping[str, Any]
"""A row of the view ``engine.sagas``."""


def why_stuck(saga: SagaRow, now: datetime, *, may_wait: bool) -> str | None:
    """Returns why a saga cannot continue, or ``None``. ``may_wait``: whether it may wait for events indefinitely."""
    if saga["status"] in ENDED:
        return None
    for failed in saga["failed_compensations"].values():
        return f"{failed['name']} was not compensated: {failed['problem']}"
    is_late = now - saga["updated_at"] > LATE
    for deferred in saga["deferred"].values() if saga["status"] != "compensating" else ():
        if deferred["status"] == "failed" or is_late:
            return f"{deferred['name']}: {deferred['problem']}"
    late = [sent for sent in saga["in_flight"].values() if now - datetime.fromisoformat(sent["sent_at"]) > LATE]
    if late:
        return f"{late[0]['name']} has had no outcome since {late[0]['sent_at']}"
    if _waits(saga) and not may_wait and is_late:
        return f"has waited for an event since {saga['updated_at']:%Y-%m-%d %H:%M:%SZ}"
    return None


def status_of(status: str, in_flight: Collection[Any], *, may_wait: bool) -> str:
    """Returns a saga's status: ``waiting`` if it runs, has no command in flight, and may wait for events indefinitely."""
    return "waiting" if may_wait and status == "running" and not in_flight else status


def shown(status: str) -> str:
    """Returns a status as people read it."""
    return status.replace("_", " ")


def next_timer(saga: SagaRow, now: datetime) -> str:
    """Returns the saga's next timer and when it is due; empty if it has none."""
    due = sorted((read_moment(at), name) for name, at in saga["timers"].items())
    return f"{due[0][1]} {ago(due[0][0], now)}" if due else ""


def _waits(saga: SagaRow) -> bool:
    return saga["status"] == "running" and not saga["in_flight"] and not saga["timers"]
