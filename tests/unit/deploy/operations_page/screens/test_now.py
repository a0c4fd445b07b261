"""The first screen: the flow of events in numbers, their pace, and its line."""

import time
from datetime import UTC, datetime

import pytest

from deploy.operations.status.installation_status import InstallationStatus, LogStatus, SubscriptionStatus, ViewStatus
from deploy.operations.status.reading import StatusReport
from deploy.operations_page.screens.now import Pace, flow_of, polyline

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_the_flow_adds_up_what_waits_at_each_part() -> None:
    view = SubscriptionStatus("todo.tasks", "todo.a", [1], 3, is_paused=False, dead_letters=1, oldest_at=NOW)
    policy = SubscriptionStatus("todo.remind", "todo.a", [1], 5, is_paused=False, dead_letters=0)
    status = InstallationStatus(
        logs=[LogStatus("todo.a", 10, 8, "relay"), LogStatus("todo.b", 5, 5, "relay")],
        subscriptions=[view, policy],
        views=[ViewStatus("todo.tasks", None, None)],
    )

    flow = flow_of(StatusReport.of(status, []))

    assert (flow.events, flow.unpublished, flow.parked, flow.oldest) == (15, 2, 1, NOW)
    assert (flow.views, flow.views_behind, flow.policies, flow.policies_behind) == (1, 3, 1, 5)


def test_the_pace_is_that_of_the_last_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.0, 4.0, 400.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock, 400.0))
    pace = Pace()
    pace.note(100)
    assert pace.per_second() is None
    pace.note(120)
    pace.note(180)
    assert pace.per_second() == 20.0, "80 events in 4 seconds"
    pace.note(180)
    assert len(pace.samples) == 1, "what is older than five minutes is dropped"


def test_the_line_ends_at_the_right() -> None:
    assert polyline([(2.0, 1.0)]) == ""
    assert polyline([(300.0, 0.0), (0.0, 10.0)]) == "0.0,58.0 600.0,2.0"
