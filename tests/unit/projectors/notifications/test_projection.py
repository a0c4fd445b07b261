"""The view of notifications, from the request to the end of their delivery."""

from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from projectors.clinical_lab.notifications import PROJECTIONS
from schemas.clinical_lab.notifications import DeliveryFailed, NotificationFailed, NotificationRequested, NotificationSent
from schemas.message import Event
from tests.unit.projectors.applied import applied

ID = UUID(int=1)
REQUESTED = NotificationRequested(notification_id=ID, kind="welcome", cause="user-1", recipients=("a@example.org",), about="7")
FAILED = DeliveryFailed(notification_id=ID, attempt=1, problem="no server", again_at=MIDNIGHT)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], ("requested", 0, None, None)),
        ([FAILED], ("retrying", 1, "no server", MIDNIGHT)),
        ([FAILED, NotificationSent(notification_id=ID, cause="user-1", attempt=2)], ("sent", 2, None, None)),
        (
            [FAILED, NotificationFailed(notification_id=ID, cause="user-1", attempt=3, problem="no such mailbox")],
            ("failed", 3, "no such mailbox", None),
        ),
    ],
)
def test_each_step_of_a_delivery_is_shown(events: list[Event], expected: tuple[object, ...]) -> None:
    row = applied(PROJECTIONS[0], REQUESTED, *events)

    assert (row.status, row.attempts, row.problem, row.again_at) == expected
    assert (row.kind, row.cause, row.about) == ("welcome", "user-1", "7")
    assert (row.requested_at, row.updated_at) == (MIDNIGHT, MIDNIGHT)
