"""The view of data services."""

import pytest

from projectors.health_subscriptions.data_services import PROJECTIONS
from schemas.message import Event
from tests.unit.aggregates.health_subscriptions.test_data_services import ASSIGNED, CREATED, FINISHED, REMOVED, STARTED
from tests.unit.projectors.applied import applied

(SERVICES,) = PROJECTIONS


@pytest.mark.parametrize(
    ("events", "status", "expert"),
    [
        ((), "created", None),
        ((ASSIGNED,), "created", "e1"),
        ((ASSIGNED, STARTED), "started", "e1"),
        ((ASSIGNED, STARTED, FINISHED), "finished", "e1"),
        ((REMOVED,), "removed", None),
    ],
)
def test_its_status_and_its_expert_follow_its_events(events: tuple[Event, ...], status: str, expert: str | None) -> None:
    row = applied(SERVICES, CREATED, *events)

    assert (row.status, row.expert_code) == (status, expert)
    assert (row.customer_code, row.plan_code, row.cloud_code) == ("0001", "pro", "local")
